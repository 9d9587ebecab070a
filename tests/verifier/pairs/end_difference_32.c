// The length behind a header, as a 32-bit difference of pointers, where the header may be missing.
// facts: 1 (32-bit difference), 7
// because: the difference is negative, and nearly 2^32 as a 32-bit number
// input: packet=4*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(LOAD_DATA(r2, r1)
           LOAD_END(r3, r1)
           "r2 += 8;"
           "w3 -= w2;"
           "if w3 < 4 goto 9f;"
           "r0 = *(u8 *)(r2 + 3);"
           "exit;"
           ASM_END)

ASM_SAFE(LOAD_DATA(r2, r1)
         LOAD_END(r3, r1)
         "w3 -= w2;"
         "if w3 < 12 goto 9f;"
         "r2 += 8;"
         "r0 = *(u8 *)(r2 + 3);"
         "exit;"
         ASM_END)
