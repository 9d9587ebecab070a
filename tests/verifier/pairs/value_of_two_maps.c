// The value comes from one of two maps; only one has as many bytes as are read.
// facts: 6.82, 1 (map handle)
// because: the smaller map's value has 8 bytes
// input: number=1
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);
MAP(smaller, ARRAY, u32, u64, 1);

ASM_UNSAFE(ASM_INPUT
           "w1 = 0;"
           "*(u32 *)(r10 - 4) = r1;"
           "r2 = r10;"
           "r2 += -4;"
           "r1 = values ll;"
           "if r7 == 0 goto 1f;"
           "r1 = smaller ll;"
           "1:" CALL_LOOKUP
           "if r0 == 0 goto 9f;"
           "r0 = *(u8 *)(r0 + 32);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_INPUT
         "w1 = 0;"
         "*(u32 *)(r10 - 4) = r1;"
         "r2 = r10;"
         "r2 += -4;"
         "r1 = values ll;"
         "if r7 == 0 goto 1f;"
         "r1 = smaller ll;"
         "1:" CALL_LOOKUP
         "if r0 == 0 goto 9f;"
         "r0 = *(u8 *)(r0 + 7);"
         "exit;"
         ASM_END)
