// A lookup in a number.
// facts: 3 (helper arguments)
// because: 64 is no map
// input: number=64
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           "w1 = 0;"
           "*(u32 *)(r10 - 4) = r1;"
           "r2 = r10;"
           "r2 += -4;"
           "r1 = r7;"
           CALL_LOOKUP
           "r0 = 0;"
           "exit;")

ASM_SAFE(ASM_INPUT
         "w1 = 0;"
         "*(u32 *)(r10 - 4) = r1;"
         "r2 = r10;"
         "r2 += -4;"
         "r1 = values ll;"
         CALL_LOOKUP
         "r0 = 0;"
         "exit;")
