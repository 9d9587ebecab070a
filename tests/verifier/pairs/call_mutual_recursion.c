// Two functions call each other.
// facts: 3 (bpf2bpf)
// because: nothing bounds how deep
// input: number=20
// fault: FAILED
#include "../corpus.h"

SECTION(".text") NAKED static u32 even(u32 n)
{
    asm volatile("w0 = 1;"
                 "if w1 == 0 goto 9f;"
                 "w1 += -1;"
                 "call odd;"
                 "9: exit;");
}

SECTION(".text") NAKED static u32 odd(u32 n)
{
    asm volatile("w0 = 0;"
                 "if w1 == 0 goto 9f;"
                 "w1 += -1;"
                 "call even;"
                 "9: exit;");
}

SECTION(".text") NAKED static u32 parity(u32 n)
{
    asm volatile("w0 = w1;"
                 "w0 &= 1;"
                 "w0 ^= 1;"
                 "exit;");
}

ASM_UNSAFE(LOAD_NUMBER(r1, r1)
           "call even;"
           "exit;")

ASM_SAFE(LOAD_NUMBER(r1, r1)
         "call parity;"
         "exit;")
