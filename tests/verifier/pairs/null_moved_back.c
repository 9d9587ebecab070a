// The pointer is moved, tested, and moved back.
// facts: 1 (or-null ids)
// because: the test of NULL + 4 says nothing of NULL
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

MAP(known, HASH, u32, u64, 4);

ASM_UNSAFE(ASM_LOOKUP(known)
           "r0 += 4;"
           "if r0 == 0 goto 9f;"
           "r0 += -4;"
           "r0 = *(u32 *)(r0 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_LOOKUP(known)
         "if r0 == 0 goto 9f;"
         "r0 += 4;"
         "r0 += -4;"
         "r0 = *(u32 *)(r0 + 0);"
         "exit;"
         ASM_END)
