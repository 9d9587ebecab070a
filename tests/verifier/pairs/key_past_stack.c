// A key of four bytes begins two bytes below the top of the stack.
// facts: 3 (helper arguments)
// because: its upper half lies above the frame
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE("r1 = 0;"
           "*(u64 *)(r10 - 8) = r1;"
           "r2 = r10;"
           "r2 += -2;"
           "r1 = values ll;"
           CALL_LOOKUP
           "r0 = 0;"
           "exit;")

ASM_SAFE("r1 = 0;"
         "*(u64 *)(r10 - 8) = r1;"
         "r2 = r10;"
         "r2 += -6;"
         "r1 = values ll;"
         CALL_LOOKUP
         "r0 = 0;"
         "exit;")
