// The stack through a pointer that moves, and a counter beside it.
// input: number=15
#include "../corpus.h"

PROGRAM(stack_counted)
{
    u64 words[16] = {}, *p = words, sum = 0;
    u32 m = NUMBER(ctx) & 15;
    KEPT for (u32 i = 0; i < m; i++) {
        *p++ = i;
        asm volatile("" : "+r"(p) : : "memory");
    }
    for (u32 i = 0; i < 16; i++)
        sum += words[i];
    return sum;
}
