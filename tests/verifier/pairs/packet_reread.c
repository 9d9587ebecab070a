// A bounded byte is overwritten, then read again as an index.
// facts: 2 (load)
// because: what was known of a byte of memory does not outlive a store to it
// input: packet=64*01 number=255
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    volatile u8 *data = DATA(ctx);
    if ((u8 *)data + 64 > END(ctx))
        return 0;
    if (data[0] > 63)
        return 0;
    data[0] = NUMBER(ctx);
    return data[data[0]];
}

SAFE
{
    volatile u8 *data = DATA(ctx);
    if ((u8 *)data + 64 > END(ctx))
        return 0;
    u32 at = data[0];
    if (at > 63)
        return 0;
    data[0] = NUMBER(ctx);
    return data[at];
}
