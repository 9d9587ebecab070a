// The same shape with a branch in the body: each round leaves a path open.
// input: packet=256*07
#include "../corpus.h"

PROGRAM(triangular_compare)
{
    u8 *data = DATA(ctx);
    u32 same = 0;
    if (data + 256 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 256; i++)
        KEPT for (u32 j = 0; j < i; j++)
            same += data[i] == data[j];
    return same;
}
