// The pointer is checked, then moved by a number, then used.
// facts: 1 (packet range)
// because: a variable addition makes what was proved void
// input: packet=9*07 number=7
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r6 = r1;"
           LOAD_NUMBER(r7, r6)
           "r7 &= 7;"
           ASM_PACKET(8)
           "r2 += r7;"
           "r0 = *(u8 *)(r2 + 7);"
           "exit;"
           ASM_END)

ASM_SAFE("r6 = r1;"
         LOAD_NUMBER(r7, r6)
         "r7 &= 7;"
         ASM_PACKET(8)
         "r2 += r7;"
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
