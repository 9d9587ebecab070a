// A value of eight bytes begins four bytes below the top of the stack.
// facts: 3 (helper arguments)
// because: its upper half lies above the frame
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

MAP(known, HASH, u32, u64, 4);

ASM_UNSAFE("r1 = 0;"
           "*(u64 *)(r10 - 8) = r1;"
           "*(u64 *)(r10 - 16) = r1;"
           "r2 = r10;"
           "r2 += -16;"
           "r3 = r10;"
           "r3 += -4;"
           "r4 = 0;"
           "r1 = known ll;"
           CALL_UPDATE
           "r0 = 0;"
           "exit;")

ASM_SAFE("r1 = 0;"
         "*(u64 *)(r10 - 8) = r1;"
         "*(u64 *)(r10 - 16) = r1;"
         "r2 = r10;"
         "r2 += -16;"
         "r3 = r10;"
         "r3 += -8;"
         "r4 = 0;"
         "r1 = known ll;"
         CALL_UPDATE
         "r0 = 0;"
         "exit;")
