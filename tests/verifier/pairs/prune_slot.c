// Two paths differ in a stack slot only, which is read much later.
// facts: 6.35, 6.63
// because: one of them has put any number there
// input: number=4096
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r1 = r10;"
           "r1 += -16;"
           "r2 = 0;"
           "if r7 == 0 goto 1f;"
           "r2 = r7;"
           "1: *(u64 *)(r1 + 0) = r2;"
           "r2 = 0;"
           "r3 = r8;"
           "r3 &= 1;"
           "if r3 == 0 goto 2f;"
           "r2 = 1;"
           "2: r1 = *(u64 *)(r10 - 16);"
           ASM_READ(r1))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r1 = r10;"
         "r1 += -16;"
         "r2 = 0;"
         "if r7 == 0 goto 1f;"
         "r2 = r7;"
         "r2 &= 63;"
         "1: *(u64 *)(r1 + 0) = r2;"
         "r2 = 0;"
         "r3 = r8;"
         "r3 &= 1;"
         "if r3 == 0 goto 2f;"
         "r2 = 1;"
         "2: r1 = *(u64 *)(r10 - 16);"
         ASM_READ(r1))
