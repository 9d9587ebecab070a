// A second lookup into the register that held a tested result.
// facts: 6.72
// because: the test was of the value before
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);
MAP(known, HASH, u32, u64, 4);

ASM_UNSAFE(ASM_LOOKUP(values)
           "if r0 == 0 goto 9f;"
           ASM_LOOKUP(known)
           "r0 = *(u32 *)(r0 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_LOOKUP(values)
         "if r0 == 0 goto 9f;"
         ASM_LOOKUP(known)
         "if r0 == 0 goto 9f;"
         "r0 = *(u32 *)(r0 + 0);"
         "exit;"
         ASM_END)
