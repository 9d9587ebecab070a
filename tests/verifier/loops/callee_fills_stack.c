// A function with a loop fills the caller's array.
// input: number=5
#include "../corpus.h"

NOINLINE void fill(u32 *into, u32 seed)
{
    KEPT for (u32 i = 0; i < 40; i++)
        into[i] = seed += i;
}

PROGRAM(callee_fills_stack)
{
    u32 numbers[40];
    fill(numbers, NUMBER(ctx));
    return numbers[7] ^ numbers[39];
}
