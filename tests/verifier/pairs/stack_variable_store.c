// A store at a variable place below the frame.
// facts: 1 (stack), 6.8
// because: -512 - 8 is outside
// input: number=8
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(LOAD_NUMBER(r7, r1)
           "r7 &= 8;"
           "r1 = r10;"
           "r1 += -512;"
           "r7 = -r7;"
           "r1 += r7;"
           "r0 = 0;"
           "*(u64 *)(r1 + 0) = r0;"
           "exit;")

ASM_SAFE(LOAD_NUMBER(r7, r1)
         "r7 &= 8;"
         "r1 = r10;"
         "r1 += -504;"
         "r7 = -r7;"
         "r1 += r7;"
         "r0 = 0;"
         "*(u64 *)(r1 + 0) = r0;"
         "exit;")
