// What a lookup gives goes to a helper without a test.
// facts: 3 (helper arguments)
// because: the helper reads through NULL
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

MAP(known, HASH, u32, u64, 4);

ASM_UNSAFE(ASM_LOOKUP(known)
           "r3 = r0;"
           "r2 = r10;"
           "r2 += -4;"
           "r1 = known ll;"
           "r4 = 0;"
           CALL_UPDATE
           "r0 = 0;"
           "exit;")

ASM_SAFE(ASM_LOOKUP(known)
         "if r0 == 0 goto 9f;"
         "r3 = r0;"
         "r2 = r10;"
         "r2 += -4;"
         "r1 = known ll;"
         "r4 = 0;"
         CALL_UPDATE
         "r0 = 0;"
         "exit;"
         ASM_END)
