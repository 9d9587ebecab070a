// 4 is added to a pointer in 32 bits.
// facts: 6.80
// because: the upper half of the address is gone
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(8)
           "w2 += 4;"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(8)
         "r2 += 4;"
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
