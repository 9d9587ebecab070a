// Two numbers are equal on one path only; the bound of one is used for the other.
// facts: 6.34
// because: on the other path they have nothing to do with each other
// input: packet=0100000000000000 number=0x1000
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r9 = r8;"
           "if r7 == 0 goto 1f;"
           "r9 = r7;"
           "1: if r8 > 63 goto 9f;"
           ASM_READ(r9)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r9 = r8;"
         "if r7 == 0 goto 1f;"
         "r8 = r7;"
         "r9 = r8;"
         "1: if r8 > 63 goto 9f;"
         ASM_READ(r9)
         ASM_END)
