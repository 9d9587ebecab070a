// A copy is byte-swapped; the original's bound does not hold for it.
// facts: 6.56
// because: 1 swapped is 256
// input: number=1
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r1 = r7;"
           "r1 = be16 r1;"
           "if r7 > 63 goto 9f;"
           ASM_READ(r1)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r1 = r7;"
         "r1 = be16 r1;"
         "if r7 > 63 goto 9f;"
         ASM_READ(r7)
         ASM_END)
