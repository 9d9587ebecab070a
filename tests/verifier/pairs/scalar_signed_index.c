// A signed index is bounded above only.
// facts: 6.4
// because: -16 is less than 64
// input: number=0xfffffff0
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r7 <<= 32;"
           "r7 s>>= 32;"
           "if r7 s> 63 goto 9f;"
           ASM_READ(r7)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 <<= 32;"
         "r7 s>>= 32;"
         "if r7 s> 63 goto 9f;"
         "if r7 s< 0 goto 9f;"
         ASM_READ(r7)
         ASM_END)
