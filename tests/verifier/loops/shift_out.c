// Counts the bits of a number by shifting it out: no counter bounds the loop.
// input: number=0xffffffff
#include "../corpus.h"

PROGRAM(shift_out)
{
    u32 bits = 0;
    KEPT for (u32 v = NUMBER(ctx); v; v >>= 1)
        bits += v & 1;
    return bits;
}
