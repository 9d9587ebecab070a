// A signed size is bounded above only.
// facts: 6.42, 3 (size)
// because: -4 is a size of nearly 2^64 bytes
// input: number=0xfffffffc
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(LOAD_NUMBER(r2, r1)
           "r1 = 0;"
           "*(u64 *)(r10 - 8) = r1;"
           "r2 <<= 32;"
           "r2 s>>= 32;"
           "if r2 s> 8 goto 9f;"
           "r1 = r10;"
           "r1 += -8;"
           "r3 = 0;"
           "r4 = 0;"
           "r5 = 0;"
           CALL_CHECKSUM
           "exit;"
           ASM_END)

ASM_SAFE(LOAD_NUMBER(r2, r1)
         "r1 = 0;"
         "*(u64 *)(r10 - 8) = r1;"
         "r2 <<= 32;"
         "r2 s>>= 32;"
         "if r2 s> 8 goto 9f;"
         "if r2 s< 0 goto 9f;"
         "r1 = r10;"
         "r1 += -8;"
         "r3 = 0;"
         "r4 = 0;"
         "r5 = 0;"
         CALL_CHECKSUM
         "exit;"
         ASM_END)
