// A pointer into the packet is used after a helper that may move the packet.
// facts: 6.50, 6.81
// because: the packet may lie elsewhere, and be shorter
// contract: adjust
#include "../corpus.h"

UNSAFE
{
    u8 *data = DATA(ctx);
    if (data + 8 > END(ctx))
        return 0;
    adjust(ctx, 4);
    return data[0];
}

SAFE
{
    u8 *data = DATA(ctx);
    if (data + 8 > END(ctx))
        return 0;
    adjust(ctx, 4);
    data = DATA(ctx);
    return data + 8 > END(ctx) ? 0 : data[0];
}
