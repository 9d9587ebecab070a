// An index into a table on the stack may be as large as the table.
// facts: 1 (stack), 6.41
// because: byte 64 of 64 lies above the frame
// input: number=64
// fault: INVALID_POINTER
#include "../corpus.h"

#define TABLE                                                                                      \
    "r1 = 0;"                                                                                      \
    "*(u64 *)(r10 - 8) = r1; *(u64 *)(r10 - 16) = r1; *(u64 *)(r10 - 24) = r1;"                    \
    "*(u64 *)(r10 - 32) = r1; *(u64 *)(r10 - 40) = r1; *(u64 *)(r10 - 48) = r1;"                   \
    "*(u64 *)(r10 - 56) = r1; *(u64 *)(r10 - 64) = r1;"

ASM_UNSAFE(LOAD_NUMBER(r7, r1)
           TABLE
           "if r7 > 64 goto 9f;"
           "r0 = r10;"
           "r0 += -64;"
           ASM_READ(r7)
           ASM_END)

ASM_SAFE(LOAD_NUMBER(r7, r1)
         TABLE
         "if r7 >= 64 goto 9f;"
         "r0 = r10;"
         "r0 += -64;"
         ASM_READ(r7)
         ASM_END)
