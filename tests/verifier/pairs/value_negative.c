// The byte before a map value.
// facts: 3 (access checks)
// because: offset -1
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_VALUE(values)
           "r0 = *(u8 *)(r0 - 1);"
           "exit;")

ASM_SAFE(ASM_VALUE(values)
         "r0 += 1;"
         "r0 = *(u8 *)(r0 - 1);"
         "exit;")
