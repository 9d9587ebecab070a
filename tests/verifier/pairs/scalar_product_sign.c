// Multiplying by a negative number turns the bounds around.
// facts: 2 (mul)
// because: 1 * -8 is before the value
// input: number=1
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r7 &= 7;"
           "r7 *= -8;"
           ASM_READ(r7))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 &= 7;"
         "r7 *= -8;"
         "r7 += 56;"
         ASM_READ(r7))
