// The map itself is read instead of one of its values.
// facts: 3
// because: what a map handle points to is the engine's
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE("r1 = values ll;"
           "r0 = *(u32 *)(r1 + 64);"
           "exit;")

ASM_SAFE(ASM_VALUE(values)
         "r0 = *(u32 *)(r0 + 0);"
         "exit;")
