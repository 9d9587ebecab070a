// A value on the stack that holds a pointer is copied to a map.
// facts: 3 (store of pointers)
// because: the helper copies the spilled pointer as bytes
#include "../corpus.h"

MAP(known, HASH, u32, u64, 4);

ASM_UNSAFE("w1 = 0;"
           "*(u32 *)(r10 - 4) = r1;"
           "*(u64 *)(r10 - 16) = r10;"
           "r2 = r10;"
           "r2 += -4;"
           "r3 = r10;"
           "r3 += -16;"
           "r4 = 0;"
           "r1 = known ll;"
           CALL_UPDATE
           "r0 = 0;"
           "exit;")

ASM_SAFE("w1 = 0;"
         "*(u32 *)(r10 - 4) = r1;"
         "*(u64 *)(r10 - 16) = r1;"
         "r2 = r10;"
         "r2 += -4;"
         "r3 = r10;"
         "r3 += -16;"
         "r4 = 0;"
         "r1 = known ll;"
         CALL_UPDATE
         "r0 = 0;"
         "exit;")
