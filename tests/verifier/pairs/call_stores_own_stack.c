// A function leaves the address of its own variable in its caller's frame.
// facts: 1 (frames)
// because: its frame is gone when the caller follows the address
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

SECTION(".text") NAKED static u32 own_to(u64 **callers)
{
    asm volatile("r0 = 7;"
                 "*(u64 *)(r10 - 8) = r0;"
                 "r2 = r10;"
                 "r2 += -8;"
                 "*(u64 *)(r1 + 0) = r2;"
                 "exit;");
}

SECTION(".text") NAKED static u32 number_to(u64 *callers)
{
    asm volatile("r0 = 7;"
                 "*(u64 *)(r1 + 0) = r0;"
                 "exit;");
}

ASM_UNSAFE("r1 = r10;"
           "r1 += -8;"
           "call own_to;"
           "r1 = *(u64 *)(r10 - 8);"
           "r0 = *(u64 *)(r1 + 0);"
           "exit;")

ASM_SAFE("r1 = r10;"
         "r1 += -8;"
         "call number_to;"
         "r0 = *(u64 *)(r10 - 8);"
         "exit;")
