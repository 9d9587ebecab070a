// A lookup in a map handle that was moved.
// facts: 3 (arithmetic)
// because: 8 bytes further there is no map
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE("w1 = 0;"
           "*(u32 *)(r10 - 4) = r1;"
           "r2 = r10;"
           "r2 += -4;"
           "r1 = values ll;"
           "r1 += 8;"
           CALL_LOOKUP
           "r0 = 0;"
           "exit;")

ASM_SAFE("w1 = 0;"
         "*(u32 *)(r10 - 4) = r1;"
         "r2 = r10;"
         "r2 += -4;"
         "r1 = values ll;"
         CALL_LOOKUP
         "r0 = 0;"
         "exit;")
