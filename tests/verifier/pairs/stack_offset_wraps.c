// Offsets from the frame pointer that add up to 2^32 - 8: in 32 bits a slot of the frame.
// facts: 6.41, 6.42
// because: the address lies 4 GiB away
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r1 = r10;"
           "r1 += 0x7fffffff;"
           "r1 += 0x7fffffff;"
           "r1 += -6;"
           "r0 = 0;"
           "*(u64 *)(r1 + 0) = r0;"
           "exit;")

ASM_SAFE("r1 = r10;"
         "r1 += -16;"
         "r1 += 14;"
         "r1 += -6;"
         "r0 = 0;"
         "*(u64 *)(r1 + 0) = r0;"
         "exit;")
