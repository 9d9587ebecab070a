// A load begins inside the frame and ends outside.
// facts: 1 (stack)
// because: four of its eight bytes lie above the frame
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r0 = 0;"
           "*(u64 *)(r10 - 8) = r0;"
           "r0 = *(u64 *)(r10 - 4);"
           "exit;")

ASM_SAFE("r0 = 0;"
         "*(u64 *)(r10 - 8) = r0;"
         "r0 = *(u32 *)(r10 - 4);"
         "exit;")
