// A function calls itself.
// facts: 3 (bpf2bpf)
// because: nothing bounds how deep
// input: number=20
// fault: FAILED
#include "../corpus.h"

SECTION(".text") NAKED static u32 sum_to(u32 n)
{
    asm volatile("w0 = 0;"
                 "if w1 == 0 goto 9f;"
                 "r6 = r1;"
                 "w1 += -1;"
                 "call sum_to;"
                 "w0 += w6;"
                 "9: exit;");
}

SECTION(".text") NAKED static u32 sum_of(u32 n)
{
    asm volatile("w0 = w1;"
                 "w1 += 1;"
                 "w0 *= w1;"
                 "w0 >>= 1;"
                 "exit;");
}

ASM_UNSAFE(LOAD_NUMBER(r1, r1)
           "call sum_to;"
           "exit;")

ASM_SAFE(LOAD_NUMBER(r1, r1)
         "call sum_of;"
         "exit;")
