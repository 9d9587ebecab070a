// An atomic addition behind a map value.
// facts: 2 (atomic)
// because: bytes 64 to 71 of 64
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_VALUE(values)
           "r1 = 1;"
           "lock *(u64 *)(r0 + 64) += r1;"
           "r0 = 0;"
           "exit;")

ASM_SAFE(ASM_VALUE(values)
         "r1 = 1;"
         "lock *(u64 *)(r0 + 56) += r1;"
         "r0 = 0;"
         "exit;")
