// What is left, 8 - n, is unsigned and the bound of n is 16.
// facts: 2 (add, sub)
// because: 8 - 9 is 0xffffffff
// input: number=9
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "w7 &= 15;"
           "w1 = 8;"
           "w1 -= w7;"
           ASM_READ(r1))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "w7 &= 15;"
         "w1 = 15;"
         "w1 -= w7;"
         ASM_READ(r1))
