// Off by one: `data + 7 >= end` proves 8 bytes where it does not hold, and the ninth is read.
// facts: 1 (packet range)
// because: byte 8 is the first behind a packet of 8 bytes
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(LOAD_DATA(r2, r1)
           LOAD_END(r3, r1)
           "r4 = r2;"
           "r4 += 7;"
           "if r4 >= r3 goto 9f;"
           "r0 = *(u8 *)(r2 + 8);"
           "exit;"
           ASM_END)

ASM_SAFE(LOAD_DATA(r2, r1)
         LOAD_END(r3, r1)
         "r4 = r2;"
         "r4 += 7;"
         "if r4 >= r3 goto 9f;"
         "r0 = *(u8 *)(r2 + 7);"
         "exit;"
         ASM_END)
