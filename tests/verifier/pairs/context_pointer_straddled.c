// A load begins in the data pointer and ends in the next field; what it gives is followed.
// facts: 6.67
// because: it mixes halves of two pointers
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r2 = " STRADDLE
           "r0 = *(u8 *)(r2 + 0);"
           "exit;")

ASM_SAFE(ASM_PACKET(8)
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
