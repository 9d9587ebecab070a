// One byte of a spilled pointer is overwritten.
// facts: 6.32
// because: what comes back is no pointer any more
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r6 = r1;"
           ASM_PACKET(8)
           "*(u64 *)(r10 - 8) = r2;"
           "r1 = 0x5a;"
           "*(u8 *)(r10 - 3) = r1;"
           "r2 = *(u64 *)(r10 - 8);"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE("r6 = r1;"
         ASM_PACKET(8)
         "*(u64 *)(r10 - 8) = r2;"
         "r1 = 0x5a;"
         "*(u8 *)(r10 - 9) = r1;"
         "r2 = *(u64 *)(r10 - 8);"
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
