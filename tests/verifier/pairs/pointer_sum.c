// Two pointers are added and the sum is followed.
// facts: 3 (arithmetic)
// because: the sum of two addresses is another address
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(8)
           "r2 += r10;"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(8)
         "r5 = 4;"
         "r5 += r2;"
         "r0 = *(u8 *)(r5 + 0);"
         "exit;"
         ASM_END)
