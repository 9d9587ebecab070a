// A 32-bit sum wraps to 0, and 1 is taken off again in 64 bits.
// facts: 6.3
// because: 0xffffffff + 1 - 1 is -1 there, which passes a signed test
// input: number=0xffffffff
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "w7 += 1;"
           "r7 += -1;"
           "if r7 s> 63 goto 9f;"
           ASM_READ(r7)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "w7 += 1;"
         "r7 += -1;"
         "if r7 > 63 goto 9f;"
         ASM_READ(r7)
         ASM_END)
