// A pointer is moved in 32 bits.
// facts: 3 (arithmetic)
// because: the upper half of the address is gone
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(8)
           "w5 = w2;"
           "r0 = *(u8 *)(r5 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(8)
         "r5 = r2;"
         "r0 = *(u8 *)(r5 + 0);"
         "exit;"
         ASM_END)
