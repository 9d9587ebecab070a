// The helper is called on one of two paths, which then meet.
// facts: 6.50, 6.81
// because: the first path proves the access, the second one has lost the proof
// contract: adjust
#include "../corpus.h"

ASM_UNSAFE("r6 = r1;"
           LOAD_NUMBER(r7, r6)
           LOAD_DATA(r8, r6)
           LOAD_END(r3, r6)
           "r4 = r8;"
           "r4 += 8;"
           "if r4 > r3 goto 9f;"
           "if r7 == 0 goto 1f;"
           "r1 = r6;"
           "r2 = 4;"
           CALL_ADJUST
           "1: r0 = *(u8 *)(r8 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE("r6 = r1;"
         LOAD_NUMBER(r7, r6)
         LOAD_DATA(r8, r6)
         LOAD_END(r3, r6)
         "r4 = r8;"
         "r4 += 8;"
         "if r4 > r3 goto 9f;"
         "if r7 == 0 goto 1f;"
         "r1 = r6;"
         "r2 = 4;"
         CALL_ADJUST
         "goto 9f;"
         "1: r0 = *(u8 *)(r8 + 0);"
         "exit;"
         ASM_END)
