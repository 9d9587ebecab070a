// A store below the frame's 512 bytes.
// facts: 1 (stack)
// because: the lowest byte of a frame is at -512
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r0 = 0;"
           "*(u64 *)(r10 - 520) = r0;"
           "exit;")

ASM_SAFE("r0 = 0;"
         "*(u64 *)(r10 - 512) = r0;"
         "exit;")
