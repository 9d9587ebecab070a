// The remainder by a number that may be 0.
// facts: 2 (div, mod)
// because: x % 0 is x
// input: number=4096 packet=00,7*07
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r8 &= 63;"
           "r7 %= r8;"
           ASM_READ(r7))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 %= 64;"
         ASM_READ(r7))
