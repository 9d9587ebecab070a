// The byte before the packet.
// facts: 3 (access checks)
// because: offset -1 lies before the packet, whatever its length
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(8)
           "r0 = *(u8 *)(r2 - 1);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(8)
         "r2 += 1;"
         "r0 = *(u8 *)(r2 - 1);"
         "exit;"
         ASM_END)
