// Eight bytes are read where four are left.
// facts: 3 (access checks)
// because: bytes 60 to 67 of 64
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_VALUE(values)
           "r0 = *(u64 *)(r0 + 60);"
           "exit;")

ASM_SAFE(ASM_VALUE(values)
         "r0 = *(u32 *)(r0 + 60);"
         "exit;")
