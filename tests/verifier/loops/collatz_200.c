// Nobody knows whether it ends by itself: at most 200 steps.
// input: number=27
#include "../corpus.h"

PROGRAM(collatz_200)
{
    u64 n = NUMBER(ctx);
    u32 steps = 0;
    KEPT for (; steps < 200 && n > 1; steps++)
        n = n & 1 ? 3 * n + 1 : n / 2;
    return steps;
}
