// Four bytes of a number go to the stack and come back bounded; the number itself is the index.
// facts: 6.31
// because: the spill kept the low half only
// input: packet=0000000001000000
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "*(u32 *)(r10 - 16) = r8;"
           "r1 = *(u32 *)(r10 - 16);"
           "if r1 > 63 goto 9f;"
           ASM_READ(r8)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "*(u32 *)(r10 - 16) = r8;"
         "r1 = *(u32 *)(r10 - 16);"
         "if r1 > 63 goto 9f;"
         ASM_READ(r1)
         ASM_END)
