// Each bit by its number: the shift is the induction variable.
// input: number=0x80000001
#include "../corpus.h"

PROGRAM(bits_of_word)
{
    u32 v = NUMBER(ctx), sum = 0;
    KEPT for (u32 bit = 0; bit < 32; bit++)
        if (v >> bit & 1)
            sum += bit;
    return sum;
}
