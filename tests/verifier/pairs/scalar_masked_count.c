// The count of a shift is masked: shifting by 32 + n shifts a word by n.
// facts: 2 (variable shift)
// because: 1 << 38 is 64 in 32 bits, not 0
// input: number=6
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r7 &= 7;"
           "r7 += 32;"
           "w1 = 1;"
           "w1 <<= w7;"
           ASM_READ(r1))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 &= 7;"
         "r7 += 32;"
         "w1 = 1;"
         "w1 <<= w7;"
         "w1 &= 63;"
         ASM_READ(r1))
