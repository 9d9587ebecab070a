// A byte is read at the end pointer.
// facts: 3 (access checks)
// because: the end is the first byte that is not the packet's
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(1)
           "r0 = *(u8 *)(r3 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(1)
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
