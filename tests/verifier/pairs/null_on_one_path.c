// The test stands on one of two paths, which then meet.
// facts: 4 (covers)
// because: the path without a test brings NULL
// input: number=1
// fault: INVALID_POINTER
#include "../corpus.h"

MAP(known, HASH, u32, u64, 4);

ASM_UNSAFE(ASM_INPUT
           ASM_LOOKUP(known)
           "if r7 != 0 goto 1f;"
           "if r0 == 0 goto 9f;"
           "1: r0 = *(u32 *)(r0 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_LOOKUP(known)
         "if r7 != 0 goto 1f;"
         "if r0 == 0 goto 9f;"
         "1: if r0 == 0 goto 9f;"
         "r0 = *(u32 *)(r0 + 0);"
         "exit;"
         ASM_END)
