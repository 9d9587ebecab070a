// The pointer waits on the stack while the helper moves the packet.
// facts: 6.50
// because: what the stack holds dies with the packet, too
// contract: adjust
#include "../corpus.h"

ASM_UNSAFE("r6 = r1;"
           ASM_PACKET(8)
           "*(u64 *)(r10 - 8) = r2;"
           "r1 = r6;"
           "r2 = 4;"
           CALL_ADJUST
           "r2 = *(u64 *)(r10 - 8);"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE("r6 = r1;"
         ASM_PACKET(8)
         "*(u64 *)(r10 - 8) = r2;"
         "r1 = r6;"
         "r2 = 4;"
         CALL_ADJUST
         "r2 = 0;"
         "*(u64 *)(r10 - 8) = r2;"
         "r1 = r6;"
         ASM_PACKET(8)
         "*(u64 *)(r10 - 8) = r2;"
         "r2 = *(u64 *)(r10 - 8);"
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
