// A table of 64 bytes on the stack is filled with 65.
// facts: 1 (stack)
// because: the last store is to the frame pointer itself, above the frame
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r1 = r10;"
           "r1 += -64;"
           "r2 = 0;"
           "1: *(u8 *)(r1 + 0) = r2;"
           "r1 += 1;"
           "r2 += 1;"
           "if r2 <= 64 goto 1b;"
           "r0 = *(u8 *)(r10 - 1);"
           "exit;")

ASM_SAFE("r1 = r10;"
         "r1 += -64;"
         "r2 = 0;"
         "1: *(u8 *)(r1 + 0) = r2;"
         "r1 += 1;"
         "r2 += 1;"
         "if r2 < 64 goto 1b;"
         "r0 = *(u8 *)(r10 - 1);"
         "exit;")
