// A register is a pointer on one path and a number on the other.
// facts: 6.6, 6.10
// because: where the paths meet it is followed
// input: packet=8*07 number=1
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r6 = r1;"
           LOAD_NUMBER(r7, r6)
           ASM_PACKET(8)
           "if r7 == 0 goto 1f;"
           "r2 = r7;"
           "1: r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE("r6 = r1;"
         LOAD_NUMBER(r7, r6)
         ASM_PACKET(8)
         "if r7 == 0 goto 1f;"
         "r2 += 7;"
         "1: r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
