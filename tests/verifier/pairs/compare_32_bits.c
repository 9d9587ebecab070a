// The check compares the low halves of the pointers.
// facts: 1 (packet range)
// because: 32-bit compares of pointers decide nothing: the low half of the sum may have wrapped
#include "../corpus.h"

ASM_UNSAFE(LOAD_DATA(r2, r1)
           LOAD_END(r3, r1)
           "r4 = r2;"
           "r4 += 8;"
           "if w4 > w3 goto 9f;"
           "r0 = *(u8 *)(r2 + 7);"
           "exit;"
           ASM_END)

ASM_SAFE(LOAD_DATA(r2, r1)
         LOAD_END(r3, r1)
         "r4 = r2;"
         "r4 += 8;"
         "if r4 > r3 goto 9f;"
         "r0 = *(u8 *)(r2 + 7);"
         "exit;"
         ASM_END)
