// Metadata in front of the packet is read without any check.
// facts: 3 (meta below data)
// because: there may be none
// input: packet=
// fault: INVALID_POINTER
// contract: meta
#include "../corpus.h"

ASM_UNSAFE(LOAD_META(r2, r1)
           "r0 = *(u8 *)(r2 + 0);"
           "exit;")

ASM_SAFE(LOAD_META(r2, r1)
         LOAD_DATA(r3, r1)
         "r4 = r2;"
         "r4 += 4;"
         "if r4 > r3 goto 9f;"
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
