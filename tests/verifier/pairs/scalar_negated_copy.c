// A copy is negated; the original's bound does not hold for it.
// facts: seeded "keep id on neg"
// because: -1 lies before the value
// input: number=1
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r1 = r7;"
           "r1 = -r1;"
           "if r7 > 63 goto 9f;"
           ASM_READ(r1)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r1 = r7;"
         "r1 = -r1;"
         "if r7 > 63 goto 9f;"
         "r1 += 63;"
         "if r1 > 63 goto 9f;"
         ASM_READ(r1)
         ASM_END)
