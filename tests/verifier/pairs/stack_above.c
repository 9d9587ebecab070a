// A store at the frame pointer.
// facts: 1 (stack)
// because: the frame ends there
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r0 = 0;"
           "*(u64 *)(r10 + 0) = r0;"
           "exit;")

ASM_SAFE("r0 = 0;"
         "*(u64 *)(r10 - 8) = r0;"
         "exit;")
