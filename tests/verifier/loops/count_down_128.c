// The index runs down, and the loop ends below 0.
// input: packet=128*07
#include "../corpus.h"

PROGRAM(count_down_128)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 128 > END(ctx))
        return 0;
    KEPT for (s32 i = 127; i >= 0; i--)
        sum = sum * 31 + data[i];
    return sum;
}
