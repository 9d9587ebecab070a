// A function returns the address of its own variable.
// facts: 1 (frames)
// because: its frame is gone
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

SECTION(".text") NAKED static u64 *own(void)
{
    asm volatile("r0 = 7;"
                 "*(u64 *)(r10 - 8) = r0;"
                 "r0 = r10;"
                 "r0 += -8;"
                 "exit;");
}

SECTION(".text") NAKED static u64 *same(u64 *callers)
{
    asm volatile("r0 = 7;"
                 "*(u64 *)(r1 + 0) = r0;"
                 "r0 = r1;"
                 "exit;");
}

ASM_UNSAFE("call own;"
           "r0 = *(u64 *)(r0 + 0);"
           "exit;")

ASM_SAFE("r1 = r10;"
         "r1 += -8;"
         "call same;"
         "r0 = *(u64 *)(r0 + 0);"
         "exit;")
