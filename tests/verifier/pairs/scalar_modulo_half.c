// The divisor is not 0 in 64 bits, but in the 32 that count.
// facts: 6.77
// because: 2^32 is 0 there, and x % 0 is x
// input: number=4096 packet=0000000001000000
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r1 = 0x10000003f ll;"
           "r8 &= r1;"
           "if r8 == 0 goto 9f;"
           "w7 %= w8;"
           ASM_READ(r7)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r1 = 0x10000003f ll;"
         "r8 &= r1;"
         "if w8 == 0 goto 9f;"
         "w7 %= w8;"
         "if w7 > 63 goto 9f;"
         ASM_READ(r7)
         ASM_END)
