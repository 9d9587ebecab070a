// One of two bits is set; 48 is taken off as if both were.
// facts: 2 (JSET)
// because: 16 - 48 is negative
// input: number=16
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

/* if r7 & BITS goto +1, which this compiler's assembler does not know */
#define TAKEN_IF(BITS) ".8byte 0x000000" BITS "00010745;"

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r7 &= 63;"
           TAKEN_IF("30")
           "goto 9f;"
           "r7 += -48;"
           ASM_READ(r7)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 &= 63;"
         TAKEN_IF("20")
         "goto 9f;"
         "r7 += -32;"
         ASM_READ(r7)
         ASM_END)
