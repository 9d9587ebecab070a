// The stack through a pointer that moves, a variable number of times.
// input: number=15
#include "../corpus.h"

PROGRAM(stack_pointer)
{
    u64 words[16] = {};
    u32 m = NUMBER(ctx) & 15;
    u64 sum = 0;
    KEPT for (u64 *p = words; p < words + m; p++) {
        *p = m;
        asm volatile("" : "+r"(p) : : "memory");
    }
    for (u32 i = 0; i < 16; i++)
        sum += words[i];
    return sum;
}
