// The index plus 1 is bounded; the index itself may be -1.
// facts: 6.28, 1 (ids)
// because: -1 + 1 is 0, which passes
// input: packet=ffffffffffffffff
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r1 = r8;"
           "r1 += 1;"
           "if r1 > 63 goto 9f;"
           ASM_READ(r8)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r1 = r7;"
         "r1 += 1;"
         "if r1 > 63 goto 9f;"
         ASM_READ(r7)
         ASM_END)
