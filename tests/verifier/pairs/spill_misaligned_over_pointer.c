// A word across two slots overwrites half of a spilled pointer.
// facts: 6.7
// because: the upper half of the pointer is a number's lower half now
// input: packet=8*07 number=7
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r6 = r1;"
           LOAD_NUMBER(r7, r6)
           ASM_PACKET(8)
           "*(u64 *)(r10 - 16) = r2;"
           "*(u64 *)(r10 - 12) = r7;"
           "r2 = *(u64 *)(r10 - 16);"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE("r6 = r1;"
         LOAD_NUMBER(r7, r6)
         ASM_PACKET(8)
         "*(u64 *)(r10 - 16) = r2;"
         "*(u64 *)(r10 - 8) = r7;"
         "r2 = *(u64 *)(r10 - 16);"
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
