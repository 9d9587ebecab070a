// Nine functions are active at once.
// facts: 1 (frames)
// because: there are eight frames
// input: number=1
// fault: FAILED
#include "../corpus.h"

#define LEVEL(NAME, NEXT)                                                                          \
    SECTION(".text") NAKED static u32 NAME(u32 n)                                                  \
    {                                                                                              \
        asm volatile("call " #NEXT "; w0 += 1; exit;");                                            \
    }

SECTION(".text") NAKED static u32 last(u32 n)
{
    asm volatile("w0 = w1; exit;");
}
LEVEL(third, last)
LEVEL(fourth, third)
LEVEL(fifth, fourth)
LEVEL(sixth, fifth)
LEVEL(seventh, sixth)
LEVEL(eighth, seventh)
LEVEL(ninth, eighth)

ASM_UNSAFE(LOAD_NUMBER(r1, r1)
           "call ninth;"
           "exit;")

ASM_SAFE(LOAD_NUMBER(r1, r1)
         "call eighth;"
         "exit;")
