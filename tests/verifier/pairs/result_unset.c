// The program ends without a result.
// facts: 1 (uninit)
// because: r0 has no value
#include "../corpus.h"

ASM_UNSAFE("exit;")

ASM_SAFE("r0 = 0;"
         "exit;")
