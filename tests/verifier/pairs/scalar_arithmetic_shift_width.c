// A 32-bit arithmetic shift gives 0 or 0xffffffff, not 0 or -1.
// facts: 2 (arsh, 32-bit ops)
// because: adding 1 in 64 bits gives 2^32
// input: number=0x80000000
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "w7 s>>= 31;"
           "r7 += 1;"
           ASM_READ(r7))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 <<= 32;"
         "r7 s>>= 63;"
         "r7 += 1;"
         ASM_READ(r7))
