// A pointer is stored in a map value.
// facts: 3 (store of pointers)
// because: whoever reads the map learns an address
#include "../corpus.h"

MAP(values, ARRAY, u32, u64, 1);

ASM_UNSAFE(ASM_VALUE(values)
           "*(u64 *)(r0 + 0) = r10;"
           "r0 = 0;"
           "exit;")

ASM_SAFE(ASM_VALUE(values)
         "r1 = 7;"
         "*(u64 *)(r0 + 0) = r1;"
         "r0 = 0;"
         "exit;")
