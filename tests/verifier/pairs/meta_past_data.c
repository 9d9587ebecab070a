// Four bytes of metadata are proved, and the fifth is read.
// facts: 3 (meta below data)
// because: it is the first byte of a packet that may be empty
// input: packet=4*07 meta=4
// fault: INVALID_POINTER
// contract: meta
#include "../corpus.h"

ASM_UNSAFE(LOAD_META(r2, r1)
           LOAD_DATA(r3, r1)
           "r4 = r2;"
           "r4 += 4;"
           "if r4 > r3 goto 9f;"
           "r0 = *(u8 *)(r2 + 4);"
           "exit;"
           ASM_END)

ASM_SAFE(LOAD_META(r2, r1)
         LOAD_DATA(r3, r1)
         "r4 = r2;"
         "r4 += 4;"
         "if r4 > r3 goto 9f;"
         "r0 = *(u8 *)(r2 + 3);"
         "exit;"
         ASM_END)
