// Two buffers, each with the other one's size.
// facts: 3 (wrong register pair)
// because: the helper reads 16 bytes of the one that has 4
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r1 = 0;"
           "*(u64 *)(r10 - 8) = r1;"
           "*(u64 *)(r10 - 16) = r1;"
           "*(u64 *)(r10 - 24) = r1;"
           "r1 = r10;"
           "r1 += -4;"
           "r2 = 16;"
           "r3 = r10;"
           "r3 += -24;"
           "r4 = 4;"
           "r5 = 0;"
           CALL_CHECKSUM
           "exit;")

ASM_SAFE("r1 = 0;"
         "*(u64 *)(r10 - 8) = r1;"
         "*(u64 *)(r10 - 16) = r1;"
         "*(u64 *)(r10 - 24) = r1;"
         "r1 = r10;"
         "r1 += -4;"
         "r2 = 4;"
         "r3 = r10;"
         "r3 += -24;"
         "r4 = 16;"
         "r5 = 0;"
         CALL_CHECKSUM
         "exit;")
