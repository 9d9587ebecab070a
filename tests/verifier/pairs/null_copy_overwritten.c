// A copy of the result is tested after it has become something else.
// facts: 1 (ids are cut by every other write)
// because: the test is of a number that is never 0
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

MAP(known, HASH, u32, u64, 4);

ASM_UNSAFE(ASM_LOOKUP(known)
           "r1 = r0;"
           "r1 = r10;"
           "if r1 == 0 goto 9f;"
           "r0 = *(u32 *)(r0 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_LOOKUP(known)
         "r1 = r0;"
         "if r1 == 0 goto 9f;"
         "r0 = *(u32 *)(r0 + 0);"
         "exit;"
         ASM_END)
