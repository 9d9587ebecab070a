// Rows and columns: the inner loop has an index, the outer one moves the row.
// input: packet=256*07
#include "../corpus.h"

PROGRAM(nested_16x16)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 256 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 16; i++)
        KEPT for (u32 j = 0; j < 16; j++)
            sum = sum * 31 + data[i * 16 + j];
    return sum;
}
