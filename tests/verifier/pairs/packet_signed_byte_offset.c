// An offset from a signed byte is bounded above only.
// facts: 6.4
// because: the byte 0x80 is -128
// input: packet=80,63*07
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u8 *data = DATA(ctx);
    if (data + 64 > END(ctx))
        return 0;
    s64 offset = *(s8 *)data;
    if (offset > 63)
        return 0;
    return data[offset];
}

SAFE
{
    u8 *data = DATA(ctx);
    if (data + 64 > END(ctx))
        return 0;
    s64 offset = *(s8 *)data;
    if (offset < 0 || offset > 63)
        return 0;
    return data[offset];
}
