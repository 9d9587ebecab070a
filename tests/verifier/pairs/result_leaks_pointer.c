// The program's result is a pointer.
// facts: 3 (after a call)
// because: whoever ran the program would learn an address
#include "../corpus.h"

ASM_UNSAFE("r0 = r10;"
           "exit;")

ASM_SAFE("r0 = 0;"
         "exit;")
