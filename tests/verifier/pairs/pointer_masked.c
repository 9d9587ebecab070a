// A pointer is rounded down to a page and followed.
// facts: 3 (arithmetic)
// because: the page may begin before the packet
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(8)
           "r2 &= -65536;"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(8)
         "r5 = 65541;"
         "r5 &= 7;"
         "r2 += r5;"
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
