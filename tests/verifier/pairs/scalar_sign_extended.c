// A byte is sign-extended and used as an index.
// facts: 2 (movsx)
// because: 0x80 becomes -128
// input: number=0x80
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(256);

/* r7 = (s8)r7 */
#define SIGN_EXTEND ".8byte 0x000877bf;"

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r7 &= 255;"
           SIGN_EXTEND
           ASM_READ(r7))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 &= 255;"
         SIGN_EXTEND
         "r7 += 128;"
         ASM_READ(r7))
