// A constant is stored with four bytes and read back: it is not sign-extended.
// facts: 6.48, 6.76
// because: the slot holds 0xffffffff, so adding 1 gives 2^32
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_VALUE(values)
           "w1 = -1;"
           "*(u32 *)(r10 - 16) = r1;"
           "r1 = *(u32 *)(r10 - 16);"
           "r1 += 1;"
           ASM_READ(r1))

ASM_SAFE(ASM_VALUE(values)
         "w1 = -1;"
         "*(u32 *)(r10 - 16) = r1;"
         "r1 = *(u32 *)(r10 - 16);"
         "w1 += 1;"
         ASM_READ(r1))
