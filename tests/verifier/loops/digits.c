// Counts decimal digits: the number shrinks to a tenth.
// input: number=0xffffffff
#include "../corpus.h"

PROGRAM(digits)
{
    u32 digits = 1;
    KEPT for (u32 v = NUMBER(ctx); v >= 10; v /= 10)
        digits++;
    return digits;
}
