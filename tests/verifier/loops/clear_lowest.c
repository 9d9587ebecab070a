// Counts the bits of a number by clearing the lowest one in turn.
// input: number=0xffffffff
#include "../corpus.h"

PROGRAM(clear_lowest)
{
    u32 bits = 0;
    KEPT for (u32 v = NUMBER(ctx); v; v &= v - 1)
        bits++;
    return bits;
}
