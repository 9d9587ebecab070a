// A pointer is stored in the packet.
// facts: 3 (store of pointers)
// because: it would leave with the packet
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(8)
           "*(u64 *)(r2 + 0) = r10;"
           "r0 = 0;"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(8)
         "r0 = 0;"
         "*(u64 *)(r2 + 0) = r0;"
         "exit;"
         ASM_END)
