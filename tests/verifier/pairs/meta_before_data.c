// The bytes in front of the packet are reached from the packet's start.
// facts: 3 (meta below data)
// because: how many there are is known from the metadata pointer only
// input: packet=8*07
// fault: INVALID_POINTER
// contract: meta
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(8)
           "r0 = *(u8 *)(r2 - 4);"
           "exit;"
           ASM_END)

ASM_SAFE("r6 = r1;"
         ASM_PACKET(8)
         LOAD_META(r1, r6)
         "r4 = r1;"
         "r4 += 4;"
         "if r4 > r2 goto 9f;"
         "r0 = *(u8 *)(r1 + 0);"
         "exit;"
         ASM_END)
