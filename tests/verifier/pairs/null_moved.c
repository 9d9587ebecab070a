// The pointer is moved and never tested.
// facts: 1 (or-null ids)
// because: NULL + 4 is an address, too
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

MAP(known, HASH, u32, u64, 4);

ASM_UNSAFE(ASM_LOOKUP(known)
           "r0 += 4;"
           "r0 = *(u32 *)(r0 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_LOOKUP(known)
         "if r0 == 0 goto 9f;"
         "r0 = *(u32 *)(r0 + 4);"
         "exit;"
         ASM_END)
