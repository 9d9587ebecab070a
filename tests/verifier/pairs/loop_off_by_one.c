// The loop's test is `<=` where `<` was meant.
// facts: 5
// because: byte 64 is read in the last round
// input: packet=64*07
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 64 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i <= 64; i++)
        sum = sum * 31 + data[i];
    return sum;
}

SAFE
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 64 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 64; i++)
        sum = sum * 31 + data[i];
    return sum;
}
