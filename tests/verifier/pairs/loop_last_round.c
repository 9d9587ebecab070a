// Each round reads the next byte, too: only the last one leaves the packet.
// facts: 5
// because: data[i + 1] is byte 200 when i is 199
// input: packet=200*07
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u8 *data = DATA(ctx);
    u32 same = 0;
    if (data + 200 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 200; i++)
        same += data[i] == data[i + 1];
    return same;
}

SAFE
{
    u8 *data = DATA(ctx);
    u32 same = 0;
    if (data + 200 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 199; i++)
        same += data[i] == data[i + 1];
    return same;
}
