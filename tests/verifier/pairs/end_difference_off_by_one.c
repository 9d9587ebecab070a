// `end - data > 3` proves four bytes, and the fifth is read.
// facts: 1 (end - n forms)
// because: a packet of 4 bytes passes the check
// input: packet=4*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(LOAD_DATA(r2, r1)
           LOAD_END(r3, r1)
           "r3 -= r2;"
           "if r3 s<= 3 goto 9f;"
           "r0 = *(u8 *)(r2 + 4);"
           "exit;"
           ASM_END)

ASM_SAFE(LOAD_DATA(r2, r1)
         LOAD_END(r3, r1)
         "r3 -= r2;"
         "if r3 s<= 3 goto 9f;"
         "r0 = *(u8 *)(r2 + 3);"
         "exit;"
         ASM_END)
