// The largest index but one is excluded, and the largest one is too large.
// facts: 2 (not equal)
// because: `!= 63` teaches nothing of 64
// input: number=64
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "if r7 > 64 goto 9f;"
           "if r7 == 63 goto 9f;"
           ASM_READ(r7)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "if r7 > 64 goto 9f;"
         "if r7 == 64 goto 9f;"
         ASM_READ(r7)
         ASM_END)
