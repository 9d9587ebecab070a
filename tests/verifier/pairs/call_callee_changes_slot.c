// A callee overwrites the caller's slot that holds a bounded index.
// facts: 1 (frames), 4
// because: the bound was of what stood there before the call
// input: number=4096
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

SECTION(".text") NAKED static u32 put(u64 *callers, u64 what)
{
    asm volatile("*(u64 *)(r1 + 0) = r2;"
                 "r0 = 0;"
                 "exit;");
}

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r9 = r0;"
           "r1 = 5;"
           "*(u64 *)(r10 - 16) = r1;"
           "r1 = r10;"
           "r1 += -16;"
           "r2 = r7;"
           "call put;"
           "r1 = *(u64 *)(r10 - 16);"
           "r0 = r9;"
           ASM_READ(r1))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r9 = r0;"
         "r1 = 5;"
         "*(u64 *)(r10 - 16) = r1;"
         "r1 = r10;"
         "r1 += -24;"
         "r2 = r7;"
         "call put;"
         "r1 = *(u64 *)(r10 - 16);"
         "r0 = r9;"
         ASM_READ(r1))
