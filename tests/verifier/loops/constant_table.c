// A constant table translates bytes.
// input: packet=64*07
#include "../corpus.h"

static const u8 weights[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};

PROGRAM(constant_table)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 64 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 64; i++)
        sum += weights[data[i] >> 4] + weights[data[i] & 15];
    return sum;
}
