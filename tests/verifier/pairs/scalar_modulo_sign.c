// A signed remainder has the dividend's sign.
// facts: 2 (div, mod), 6.60
// because: -7 % 8 is -7
// input: number=0xfffffff9
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

/* r7 s%= 8, which this compiler's assembler does not know; and r7 %= 8. */
#define SIGNED_MODULO ".8byte 0x0000000800010797;"

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r7 <<= 32;"
           "r7 s>>= 32;"
           SIGNED_MODULO
           ASM_READ(r7))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 <<= 32;"
         "r7 s>>= 32;"
         SIGNED_MODULO
         "r7 += 7;"
         ASM_READ(r7))
