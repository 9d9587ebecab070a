// The inner loop has one round too many: only its last one in the last row leaves the packet.
// facts: 5
// because: 15 * 16 + 16 is 256
// input: packet=256*07
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 256 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 16; i++)
        KEPT for (u32 j = 0; j <= 16; j++)
            sum = sum * 31 + data[i * 16 + j];
    return sum;
}

SAFE
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 256 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 15; i++)
        KEPT for (u32 j = 0; j <= 16; j++)
            sum = sum * 31 + data[i * 16 + j];
    return sum;
}
