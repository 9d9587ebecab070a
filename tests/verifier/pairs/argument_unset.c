// A helper's argument was never set.
// facts: 3 (helper arguments)
// because: r4, the flags, has no value
#include "../corpus.h"

MAP(known, HASH, u32, u64, 4);

ASM_UNSAFE("r1 = 0;"
           "*(u64 *)(r10 - 8) = r1;"
           "r2 = r10;"
           "r2 += -8;"
           "r3 = r2;"
           "r1 = known ll;"
           CALL_UPDATE
           "r0 = 0;"
           "exit;")

ASM_SAFE("r1 = 0;"
         "*(u64 *)(r10 - 8) = r1;"
         "r2 = r10;"
         "r2 += -8;"
         "r3 = r2;"
         "r1 = known ll;"
         "r4 = 0;"
         CALL_UPDATE
         "r0 = 0;"
         "exit;")
