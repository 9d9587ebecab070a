// A loop without a way out.
// facts: 5
// because: it never ends
// input: packet=
// fault: TIMEOUT
#include "../corpus.h"

ASM_UNSAFE("r0 = 0;"
           "1: r0 += 1;"
           "goto 1b;"
           "exit;")

ASM_SAFE("r0 = 0;"
         "1: r0 += 1;"
         "if r0 < 100 goto 1b;"
         "exit;")
