// A helper reads more of the packet than was checked.
// facts: 3 (helper arguments)
// because: 12 bytes of 8
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(8)
           "r1 = r2;"
           "r2 = 12;"
           "r3 = 0;"
           "r4 = 0;"
           "r5 = 0;"
           CALL_CHECKSUM
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(8)
         "r1 = r2;"
         "r2 = 8;"
         "r3 = 0;"
         "r4 = 0;"
         "r5 = 0;"
         CALL_CHECKSUM
         "exit;"
         ASM_END)
