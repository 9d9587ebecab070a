// The least number divided by -1 stays what it is.
// facts: 2 (div, mod), 6.60
// because: -2^63 / -1 is -2^63, so the quotient is no positive number
// input: packet=0000000000000080
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

/* r8 s/= -1 */
#define NEGATED_BY_DIVISION ".8byte 0xffffffff00010837;"

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "if r8 s> -1 goto 9f;"
           NEGATED_BY_DIVISION
           "if r8 s> 63 goto 9f;"
           ASM_READ(r8)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "if r8 s> -1 goto 9f;"
         NEGATED_BY_DIVISION
         "if r8 > 63 goto 9f;"
         ASM_READ(r8)
         ASM_END)
