// A number that may be negative is shifted right without its sign, then tested with one.
// facts: 6.4
// because: -2^31 becomes 2^63 - 2^30, which is positive and far outside
// input: number=0x80000000
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r7 <<= 32;"
           "r7 s>>= 32;"
           "if r7 s> 15 goto 9f;"
           "r7 >>= 1;"
           "if r7 s< 0 goto 9f;"
           ASM_READ(r7)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 <<= 32;"
         "r7 s>>= 32;"
         "if r7 s> 15 goto 9f;"
         "r7 s>>= 1;"
         "if r7 s< 0 goto 9f;"
         ASM_READ(r7)
         ASM_END)
