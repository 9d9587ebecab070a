// A field that the contract lets programs read only is written.
// facts: 3 (ctx)
// because: of this contract's context only the last 12 bytes are writable
// contract: read_only
#include "../corpus.h"

ASM_UNSAFE("r0 = 7;"
           "*(u32 *)(r1 + 16) = r0;"
           "exit;")

ASM_SAFE("r0 = *(u32 *)(r1 + 16);"
         "exit;")
