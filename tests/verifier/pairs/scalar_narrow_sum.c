// The same in 16 bits.
// facts: 6.3
// because: 0xfffc + 8 is 4 as a u16
// input: number=0xfffc
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "w7 &= 65535;"
           "w1 = w7;"
           "w1 += 8;"
           "w1 &= 65535;"
           "if w1 > 64 goto 9f;"
           ASM_READ(r7)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "w7 &= 65535;"
         "w1 = w7;"
         "w1 += 8;"
         "if w1 > 64 goto 9f;"
         ASM_READ(r7)
         ASM_END)
