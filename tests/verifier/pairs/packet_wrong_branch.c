// The check is there, but the access stands on the side where it failed.
// facts: 1 (packet range)
// because: the packet is read exactly where it is known to be short
// input: packet=3*07
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u8 *data = DATA(ctx);
    if (data + 4 > END(ctx))
        return data[3];
    return 0;
}

SAFE
{
    u8 *data = DATA(ctx);
    if (data + 4 > END(ctx))
        return 0;
    return data[3];
}
