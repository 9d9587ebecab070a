// An atomic addition across two words of a map value.
// facts: 1 (alignment)
// because: other threads would see half of it
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_VALUE(values)
           "r1 = 1;"
           "lock *(u64 *)(r0 + 4) += r1;"
           "r0 = 0;"
           "exit;")

ASM_SAFE(ASM_VALUE(values)
         "r1 = 1;"
         "lock *(u64 *)(r0 + 8) += r1;"
         "r0 = 0;"
         "exit;")
