// A product is bounded in 32 bits, and made again in 64.
// facts: 2 (mul)
// because: 0x40000000 * 4 is 0 in 32 bits
// input: number=0x40000000
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "w1 = w7;"
           "w1 *= 4;"
           "if w1 > 60 goto 9f;"
           "r7 *= 4;"
           ASM_READ(r7)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "w1 = w7;"
         "w1 *= 4;"
         "if w1 > 60 goto 9f;"
         ASM_READ(r1)
         ASM_END)
