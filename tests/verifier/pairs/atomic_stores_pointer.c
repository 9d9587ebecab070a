// An atomic exchange stores a pointer in a map value.
// facts: 2 (atomic)
// because: whoever reads the map learns an address
#include "../corpus.h"

MAP(values, ARRAY, u32, u64, 1);

/* r1 = xchg_64(r0 + 0, r1), which this compiler's assembler does not know */
#define EXCHANGE ".8byte 0x000000e1000010db;"

ASM_UNSAFE(ASM_VALUE(values)
           "r1 = r10;"
           EXCHANGE
           "r0 = 0;"
           "exit;")

ASM_SAFE(ASM_VALUE(values)
         "r1 = 7;"
         EXCHANGE
         "r0 = 0;"
         "exit;")
