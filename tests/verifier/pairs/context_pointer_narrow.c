// Half of the data pointer is loaded and followed.
// facts: 6.47
// because: it is no pointer without its other half
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r2 = *(" NARROW " *)(r1 + 0);"
           LOAD_END(r3, r1)
           "r4 = r2;"
           "r4 += 8;"
           "if r4 > r3 goto 9f;"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(LOAD_DATA(r2, r1)
         LOAD_END(r3, r1)
         "r4 = r2;"
         "r4 += 8;"
         "if r4 > r3 goto 9f;"
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
