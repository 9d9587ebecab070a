// The greatest common divisor: it ends because a remainder is smaller than its divisor.
// input: number=1836311903 half=46368
#include "../corpus.h"

PROGRAM(euclid)
{
    u32 a = NUMBER(ctx), b = HALF(ctx);
    KEPT while (b) {
        u32 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}
