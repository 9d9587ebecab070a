// The end pointer is moved before it is compared with.
// facts: 3 (arithmetic)
// because: end + 8 is no end: the check passes for a packet of 8 bytes
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(LOAD_DATA(r2, r1)
           LOAD_END(r3, r1)
           "r3 += 8;"
           "r4 = r2;"
           "r4 += 16;"
           "if r4 > r3 goto 9f;"
           "r0 = *(u8 *)(r2 + 15);"
           "exit;"
           ASM_END)

ASM_SAFE(LOAD_DATA(r2, r1)
         LOAD_END(r3, r1)
         "r4 = r2;"
         "r4 += 16;"
         "if r4 > r3 goto 9f;"
         "r0 = *(u8 *)(r2 + 15);"
         "exit;"
         ASM_END)
