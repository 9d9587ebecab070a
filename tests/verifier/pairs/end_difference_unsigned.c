// `end - p >= 4` without a sign, where p may be past the end already.
// facts: 1 (end - n forms)
// because: the difference is negative, and huge as an unsigned number
// input: packet=4*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(LOAD_DATA(r2, r1)
           LOAD_END(r3, r1)
           "r2 += 8;"
           "r3 -= r2;"
           "if r3 < 4 goto 9f;"
           "r0 = *(u8 *)(r2 + 3);"
           "exit;"
           ASM_END)

ASM_SAFE(LOAD_DATA(r2, r1)
         LOAD_END(r3, r1)
         "r2 += 8;"
         "r3 -= r2;"
         "if r3 s< 4 goto 9f;"
         "r0 = *(u8 *)(r2 + 3);"
         "exit;"
         ASM_END)
