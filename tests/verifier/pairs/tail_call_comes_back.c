// What follows a tail call is believed never to run.
// facts: 3 (tail call)
// because: there is no program at that place, so the call comes back
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

MAP(programs, PROG_ARRAY, u32, u32, 4);

ASM_UNSAFE("r2 = programs ll;"
           "r3 = 0;"
           CALL_TAIL
           "r0 = *(u8 *)(r10 + 0);"
           "exit;")

ASM_SAFE("r2 = programs ll;"
         "r3 = 0;"
         CALL_TAIL
         "r0 = 1;"
         "exit;")
