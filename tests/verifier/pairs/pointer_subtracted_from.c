// A pointer is subtracted from a number, and the difference is followed.
// facts: 3 (arithmetic)
// because: 8 minus an address is no address
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(8)
           "r5 = 8;"
           "r5 -= r2;"
           "r0 = *(u8 *)(r5 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(8)
         "r5 = 8;"
         "r5 -= 4;"
         "r5 += r2;"
         "r0 = *(u8 *)(r5 + 0);"
         "exit;"
         ASM_END)
