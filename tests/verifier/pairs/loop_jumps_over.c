// Steps of 2 never hit an odd end that `!=` waits for.
// facts: 5 (trip count)
// because: the index goes 64, 66, 68 and on
// input: packet=66*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(66)
           "r0 = 0;"
           "r1 = 0;"
           "1: r4 = r2;"
           "r4 += r1;"
           "r4 = *(u8 *)(r4 + 0);"
           "r0 += r4;"
           "r1 += 2;"
           "if r1 != 65 goto 1b;"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(66)
         "r0 = 0;"
         "r1 = 0;"
         "1: r4 = r2;"
         "r4 += r1;"
         "r4 = *(u8 *)(r4 + 0);"
         "r0 += r4;"
         "r1 += 2;"
         "if r1 != 66 goto 1b;"
         "exit;"
         ASM_END)
