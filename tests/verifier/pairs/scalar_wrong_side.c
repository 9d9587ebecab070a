// The bound holds where the branch is not taken, and is used where it is.
// facts: 2 (branches)
// because: the index is larger than 63 there
// input: number=64
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "if r7 > 63 goto 1f;"
           "r7 = 0;"
           "1: r7 &= 0x7f;"
           ASM_READ(r7))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "if r7 <= 63 goto 1f;"
         "r7 = 0;"
         "1: r7 &= 0x7f;"
         ASM_READ(r7))
