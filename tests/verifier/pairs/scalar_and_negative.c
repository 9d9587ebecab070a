// A mask with upper bits set bounds nothing.
// facts: 2 (and)
// because: & -8 clears three bits only
// input: number=4096
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r7 &= -8;"
           ASM_READ(r7))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 &= 56;"
         ASM_READ(r7))
