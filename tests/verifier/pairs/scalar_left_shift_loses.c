// The shifted number is bounded; what was shifted out is not.
// facts: 2 (lsh)
// because: 2^32 << 32 is 0
// input: packet=0000000001000000
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r1 = r8;"
           "r1 <<= 32;"
           "if r1 != 0 goto 9f;"
           ASM_READ(r8)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r1 = r8;"
         "r1 <<= 32;"
         "if r1 != 0 goto 9f;"
         ASM_READ(r1)
         ASM_END)
