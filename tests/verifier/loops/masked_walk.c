// No counter for the index: it stays inside because it is masked; the rounds are counted beside it.
// input: packet=64*07
#include "../corpus.h"

PROGRAM(masked_walk)
{
    u8 *data = DATA(ctx);
    u32 at = 0, sum = 0;
    if (data + 64 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 100; i++) {
        sum = sum * 31 + data[at];
        at = (at + data[at] + 1) & 63;
    }
    return sum;
}
