// Two paths with different proofs meet; the access needs the larger one.
// facts: 4 (covers)
// because: one of them has proved 4 bytes only
// input: packet=4*07 number=1
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r6 = r1;"
           LOAD_NUMBER(r7, r6)
           LOAD_DATA(r2, r6)
           LOAD_END(r3, r6)
           "r4 = r2;"
           "if r7 != 0 goto 1f;"
           "r4 += 8;"
           "if r4 > r3 goto 9f;"
           "goto 2f;"
           "1: r4 += 4;"
           "if r4 > r3 goto 9f;"
           "2: r4 = 0;"
           "r0 = *(u8 *)(r2 + 7);"
           "exit;"
           ASM_END)

ASM_SAFE("r6 = r1;"
         LOAD_NUMBER(r7, r6)
         LOAD_DATA(r2, r6)
         LOAD_END(r3, r6)
         "r4 = r2;"
         "if r7 != 0 goto 1f;"
         "r4 += 8;"
         "if r4 > r3 goto 9f;"
         "goto 2f;"
         "1: r4 += 4;"
         "if r4 > r3 goto 9f;"
         "2: r4 = 0;"
         "r0 = *(u8 *)(r2 + 3);"
         "exit;"
         ASM_END)
