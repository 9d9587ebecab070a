// A byte is sign-extended to 32 bits, in the register that it comes from.
// facts: 6.65
// because: 0x80 becomes 0xffffff80: the upper half is 0, the index is not small
// input: number=0x80
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(256);

/* w7 = (s8)w7 */
#define SIGN_EXTEND ".8byte 0x000877bc;"

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r7 &= 255;"
           SIGN_EXTEND
           "r7 += 128;"
           ASM_READ(r7))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 &= 255;"
         SIGN_EXTEND
         "w7 += 128;"
         ASM_READ(r7))
