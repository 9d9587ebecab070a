// A register is used that was never set.
// facts: 1 (uninit)
// because: r3 has no value
#include "../corpus.h"

ASM_UNSAFE("r0 = r3;"
           "exit;")

ASM_SAFE("r3 = 1;"
         "r0 = r3;"
         "exit;")
