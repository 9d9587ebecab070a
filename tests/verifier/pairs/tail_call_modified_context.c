// A tail call gets the address of a field instead of the context.
// facts: 6.13
// because: the next program would take it for its context
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

MAP(programs, PROG_ARRAY, u32, u32, 4);

ASM_UNSAFE("r1 += 8;"
           "r2 = programs ll;"
           "r3 = 0;"
           CALL_TAIL
           "r0 = 0;"
           "exit;")

ASM_SAFE("r2 = programs ll;"
         "r3 = 0;"
         CALL_TAIL
         "r0 = 0;"
         "exit;")
