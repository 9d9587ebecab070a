// Four bytes a round, of a number of bytes that four does not divide.
// facts: 5
// because: the last round reads bytes 64 to 67 of 66
// input: packet=66*07
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 66 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 66; i += 4)
        sum += data[i] ^ data[i + 1] ^ data[i + 2] ^ data[i + 3];
    return sum;
}

SAFE
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 66 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 64; i += 4)
        sum += data[i] ^ data[i + 1] ^ data[i + 2] ^ data[i + 3];
    return sum ^ data[64] ^ data[65];
}
