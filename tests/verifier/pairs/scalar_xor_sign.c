// Exclusive or with -1 turns 0 to 7 into negative numbers.
// facts: 2 (or, xor)
// because: 0 ^ -1 is -1
// input: number=0
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r7 &= 7;"
           "r7 ^= -1;"
           ASM_READ(r7))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 &= 7;"
         "r7 ^= 56;"
         ASM_READ(r7))
