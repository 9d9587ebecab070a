// A pointer is negated and followed.
// facts: 3 (arithmetic)
// because: minus an address is another address
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(8)
           "r2 = -r2;"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(8)
         "r5 = -7;"
         "r5 = -r5;"
         "r2 += r5;"
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
