// A number is stored in a map value and read back as an index.
// facts: 2 (load)
// because: what the map holds is unknown, also behind a store of one's own
// input: number=4096
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "*(u64 *)(r0 + 0) = r7;"
           "r1 = *(u64 *)(r0 + 0);"
           ASM_READ(r1))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "*(u64 *)(r0 + 0) = r7;"
         "r1 = *(u8 *)(r0 + 0);"
         "r1 &= 63;"
         ASM_READ(r1))
