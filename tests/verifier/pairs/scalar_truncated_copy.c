// A 32-bit copy is bounded, the 64-bit original is the index.
// facts: 6.31, seeded "keep id on 32-bit mov"
// because: the copy says nothing of the upper half
// input: packet=0000000001000000
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "w1 = w8;"
           "if r1 > 63 goto 9f;"
           ASM_READ(r8)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "w1 = w8;"
         "if r1 > 63 goto 9f;"
         ASM_READ(r1)
         ASM_END)
