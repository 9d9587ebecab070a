// A number that is 0 or -1 is or-ed with 8.
// facts: 6.58
// because: -1 | 8 is -1
// input: number=0x80000000
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r7 <<= 32;"
           "r7 s>>= 63;"
           "r7 |= 8;"
           ASM_READ(r7))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 <<= 32;"
         "r7 s>>= 63;"
         "r7 &= 8;"
         ASM_READ(r7))
