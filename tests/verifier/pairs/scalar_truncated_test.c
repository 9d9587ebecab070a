// The low half is tested, the whole number is the index.
// facts: 6.29, 2 (32-bit compares)
// because: 2^32 has a low half of 0
// input: packet=0000000001000000
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "if w8 > 63 goto 9f;"
           ASM_READ(r8)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "if w8 > 63 goto 9f;"
         "w8 = w8;"
         ASM_READ(r8)
         ASM_END)
