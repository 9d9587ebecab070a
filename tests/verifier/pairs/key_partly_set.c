// Two of a key's four bytes are set.
// facts: 3 (helper arguments)
// because: a lookup reads bytes that nobody wrote
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE("w1 = 0;"
           "*(u16 *)(r10 - 4) = r1;"
           "r2 = r10;"
           "r2 += -4;"
           "r1 = values ll;"
           CALL_LOOKUP
           "r0 = 0;"
           "exit;")

ASM_SAFE("w1 = 0;"
         "*(u16 *)(r10 - 4) = r1;"
         "*(u16 *)(r10 - 2) = r1;"
         "r2 = r10;"
         "r2 += -4;"
         "r1 = values ll;"
         CALL_LOOKUP
         "r0 = 0;"
         "exit;")
