// A negative variable offset and a positive constant one: their sum may be negative.
// facts: 6.11
// because: 8 - 15 lies before the value
// input: number=15
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r7 &= 15;"
           "r7 = -r7;"
           "r0 += r7;"
           "r0 = *(u8 *)(r0 + 8);"
           "exit;")

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r7 &= 7;"
         "r7 = -r7;"
         "r0 += r7;"
         "r0 = *(u8 *)(r0 + 8);"
         "exit;")
