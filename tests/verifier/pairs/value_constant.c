// The byte behind a map value.
// facts: 3 (access checks)
// because: byte 64 of 64
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_VALUE(values)
           "r0 = *(u8 *)(r0 + 64);"
           "exit;")

ASM_SAFE(ASM_VALUE(values)
         "r0 = *(u8 *)(r0 + 63);"
         "exit;")
