// A constant is written to.
// facts: 6.88
// because: the constants of an object are read-only for programs
// input: number=3
// fault: INVALID_POINTER
#include "../corpus.h"

static const u8 constants[16] = {1, 2, 3};

UNSAFE
{
    u8 *table = (u8 *)constants;
    asm volatile("" : "+r"(table));
    table[NUMBER(ctx) & 15] = 7;
    return table[3];
}

SAFE
{
    const u8 *table = constants;
    asm volatile("" : "+r"(table));
    return table[NUMBER(ctx) & 15];
}
