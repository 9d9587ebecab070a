// A pointer is stored in the context.
// facts: 3 (store of pointers)
// because: whoever ran the program would learn an address
#include "../corpus.h"

ASM_UNSAFE("*(u64 *)(r1 + 16) = r10;"
           "r0 = 0;"
           "exit;")

ASM_SAFE("r0 = *(u32 *)(r1 + 16);"
         "exit;")
