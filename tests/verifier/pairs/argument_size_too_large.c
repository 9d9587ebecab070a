// A helper is told of 16 bytes where there are 8.
// facts: 3 (size)
// because: it reads above the frame
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r1 = 0;"
           "*(u64 *)(r10 - 8) = r1;"
           "r1 = r10;"
           "r1 += -8;"
           "r2 = 16;"
           "r3 = 0;"
           "r4 = 0;"
           "r5 = 0;"
           CALL_CHECKSUM
           "exit;")

ASM_SAFE("r1 = 0;"
         "*(u64 *)(r10 - 8) = r1;"
         "r1 = r10;"
         "r1 += -8;"
         "r2 = 8;"
         "r3 = 0;"
         "r4 = 0;"
         "r5 = 0;"
         CALL_CHECKSUM
         "exit;")
