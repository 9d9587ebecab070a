// A 64-bit offset from the packet wraps around: the sum passes the check.
// facts: 1 (packet range), 6.5
// because: data - 8 is before the packet and compares as less than the end
// input: packet=f8ffffffffffffff,8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(8)
           "r5 = *(u64 *)(r2 + 0);"
           "r2 += r5;"
           "r4 = r2;"
           "r4 += 1;"
           "if r4 > r3 goto 9f;"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(8)
         "r5 = *(u64 *)(r2 + 0);"
         "r5 &= 0x7fff;"
         "r2 += r5;"
         "r4 = r2;"
         "r4 += 1;"
         "if r4 > r3 goto 9f;"
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
