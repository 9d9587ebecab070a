// A function is called with a bounded number first, then with any number.
// facts: 4, 3 (bpf2bpf)
// because: the second call's state at the same place is no copy of the first one's
// input: number=4096
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

SECTION(".text") NAKED static u32 value_at(struct value *v, u64 at)
{
    asm volatile("r3 = 0;"
                 "if r2 == 0 goto 1f;"
                 "r3 = 1;"
                 "1: r1 += r2;"
                 "r0 = *(u8 *)(r1 + 0);"
                 "r0 += r3;"
                 "exit;");
}

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r9 = r0;"
           "r1 = r9;"
           "r2 = r7;"
           "r2 &= 63;"
           "call value_at;"
           "r1 = r9;"
           "r2 = r7;"
           "call value_at;"
           "exit;")

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r9 = r0;"
         "r1 = r9;"
         "r2 = r7;"
         "r2 &= 63;"
         "call value_at;"
         "r1 = r9;"
         "r2 = r7;"
         "r2 &= 31;"
         "call value_at;"
         "exit;")
