// A stack slot is read that nobody wrote.
// facts: 1 (stack)
// because: its bytes have no value
#include "../corpus.h"

ASM_UNSAFE("r0 = *(u64 *)(r10 - 8);"
           "exit;")

ASM_SAFE("r0 = 0;"
         "*(u64 *)(r10 - 8) = r0;"
         "r0 = *(u64 *)(r10 - 8);"
         "exit;")
