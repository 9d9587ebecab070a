// A tail call into a map that holds no programs.
// facts: 3 (helper arguments)
// because: its values are numbers
#include "../corpus.h"

MAP(programs, PROG_ARRAY, u32, u32, 4);
MAP(numbers, ARRAY, u32, u32, 4);

ASM_UNSAFE("r2 = numbers ll;"
           "r3 = 0;"
           CALL_TAIL
           "r0 = 0;"
           "exit;")

ASM_SAFE("r2 = programs ll;"
         "r3 = 0;"
         CALL_TAIL
         "r0 = 0;"
         "exit;")
