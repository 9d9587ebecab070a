// The function that each round calls has a loop of its own.
// input: packet=256*07
#include "../corpus.h"

NOINLINE u32 row_sum(u8 *row)
{
    u32 sum = 0;
    KEPT for (u32 i = 0; i < 16; i++)
        sum = sum * 31 + row[i];
    return sum;
}

PROGRAM(loop_in_callee)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 256 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 16; i++)
        sum ^= row_sum(data + i * 16);
    return sum;
}
