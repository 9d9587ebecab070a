// A function says by a code whether the packet is long enough; the code is read the wrong way.
// facts: 7 (packet proof correlated with an error code)
// because: the packet is read when the code says that it is short
// input: packet=4*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(LOAD_DATA(r2, r1)
           LOAD_END(r3, r1)
           "r4 = r2;"
           "r4 += 8;"
           "w5 = -22;"
           "if r4 > r3 goto 1f;"
           "w5 = 0;"
           "1: if w5 == 0 goto 9f;"
           "r0 = *(u8 *)(r2 + 7);"
           "exit;"
           ASM_END)

ASM_SAFE(LOAD_DATA(r2, r1)
         LOAD_END(r3, r1)
         "r4 = r2;"
         "r4 += 8;"
         "w5 = -22;"
         "if r4 > r3 goto 1f;"
         "w5 = 0;"
         "1: if w5 != 0 goto 9f;"
         "r0 = *(u8 *)(r2 + 7);"
         "exit;"
         ASM_END)
