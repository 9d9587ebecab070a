// No buffer, but a size.
// facts: 6.84
// because: NULL has no bytes; that this helper takes them for zeros is its own kindness
#include "../corpus.h"

ASM_UNSAFE("r1 = 0;"
           "r2 = 8;"
           "r3 = 0;"
           "r4 = 0;"
           "r5 = 0;"
           CALL_CHECKSUM
           "exit;")

ASM_SAFE("r1 = 0;"
         "r2 = 0;"
         "r3 = 0;"
         "r4 = 0;"
         "r5 = 0;"
         CALL_CHECKSUM
         "exit;")
