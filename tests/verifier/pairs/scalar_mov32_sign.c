// A 32-bit move of -1 does not sign-extend: the branch that looks certain is never taken.
// facts: 6.1
// because: r1 is 0xffffffff, not -1, so what is believed dead runs
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("w1 = -1;"
           "if r1 == -1 goto 9f;"
           "r0 = *(u8 *)(r10 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE("r1 = -1;"
         "if r1 == -1 goto 9f;"
         "r0 = 1;"
         "exit;"
         ASM_END)
