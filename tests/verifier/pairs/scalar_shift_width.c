// A 64-bit shift by 31 leaves 33 bits, a 32-bit one leaves one.
// facts: 6.12
// because: the upper half comes down
// input: packet=ffffffffffffffff
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r8 >>= 31;"
           ASM_READ(r8))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "w8 >>= 31;"
         ASM_READ(r8))
