// The trip count is a number from outside, bounded before: ends by `<`.
// input: packet=256*07 number=256
#include "../corpus.h"

PROGRAM(variable_256)
{
    u8 *data = DATA(ctx);
    u32 n = NUMBER(ctx), sum = 0;
    if (n > 256 || data + 256 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < n; i++)
        sum = sum * 31 + data[i];
    return sum;
}
