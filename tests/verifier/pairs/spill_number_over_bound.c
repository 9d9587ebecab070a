// A bounded number waits in a slot that another store changes.
// facts: 6.68
// because: the bound was of what stood there before
// input: number=4096
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r1 = r7;"
           "r1 &= 63;"
           "*(u64 *)(r10 - 16) = r1;"
           "*(u16 *)(r10 - 16) = r7;"
           "r1 = *(u64 *)(r10 - 16);"
           ASM_READ(r1))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r1 = r7;"
         "r1 &= 63;"
         "*(u64 *)(r10 - 16) = r1;"
         "*(u16 *)(r10 - 24) = r7;"
         "r1 = *(u64 *)(r10 - 16);"
         ASM_READ(r1))
