// Three levels; the innermost index is a sum of all.
// input: packet=512*07
#include "../corpus.h"

PROGRAM(nested_three)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 512 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 8; i++)
        KEPT for (u32 j = 0; j < 8; j++)
            KEPT for (u32 k = 0; k < 8; k++)
                sum = sum * 31 + data[i * 64 + j * 8 + k];
    return sum;
}
