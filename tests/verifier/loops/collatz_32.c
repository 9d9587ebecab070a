// The same in 32 bits, where the numbers wrap around.
// input: number=27
#include "../corpus.h"

PROGRAM(collatz_32)
{
    u32 n = NUMBER(ctx), steps = 0;
    KEPT for (; steps < 200; steps++) {
        if (n == 1)
            break;
        n = n & 1 ? n * 3 + 1 : n >> 1;
    }
    return steps;
}
