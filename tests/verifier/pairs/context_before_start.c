// A field before the context.
// facts: 3 (ctx)
// because: offset -4; the engine keeps something there
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r0 = *(u32 *)(r1 - 4);"
           "exit;")

ASM_SAFE(LOAD_NUMBER(r0, r1)
         "exit;")
