// An atomic addition changes a spilled pointer.
// facts: 6.78
// because: what comes back points elsewhere
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r6 = r1;"
           ASM_PACKET(8)
           "*(u64 *)(r10 - 8) = r2;"
           "r1 = 0x10000;"
           "lock *(u64 *)(r10 - 8) += r1;"
           "r2 = *(u64 *)(r10 - 8);"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE("r6 = r1;"
         ASM_PACKET(8)
         "*(u64 *)(r10 - 8) = r2;"
         "r1 = 0x10000;"
         "*(u64 *)(r10 - 16) = r1;"
         "lock *(u64 *)(r10 - 16) += r1;"
         "r2 = *(u64 *)(r10 - 8);"
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
