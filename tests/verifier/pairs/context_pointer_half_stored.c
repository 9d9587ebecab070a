// Four bytes of the data pointer in the context are overwritten; then it is loaded and followed.
// facts: 6.78
// because: what comes back is no pointer of the engine
// input: packet=8*07 number=1
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(LOAD_NUMBER(r7, r1)
           "*(" NARROW " *)(r1 + 0) = r7;"
           LOAD_DATA(r2, r1)
           LOAD_END(r3, r1)
           "r4 = r2;"
           "r4 += 8;"
           "if r4 > r3 goto 9f;"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(LOAD_NUMBER(r7, r1)
         "*(u32 *)(r10 - 8) = r7;"
         ASM_PACKET(8)
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
