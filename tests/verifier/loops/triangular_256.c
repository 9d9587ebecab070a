// The inner loop's bound is the outer loop's index.
// input: packet=256*07
#include "../corpus.h"

PROGRAM(triangular_256)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 256 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 256; i++)
        KEPT for (u32 j = 0; j < i; j++)
            sum = sum * 31 + (data[i] ^ data[j]);
    return sum;
}
