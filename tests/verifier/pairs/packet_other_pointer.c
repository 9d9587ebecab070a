// The check is on the start of the packet, the access on a pointer that a byte has moved.
// facts: 1 (ids)
// because: 8 bytes from the start say nothing of 8 bytes from elsewhere
// input: packet=8*c8
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u8 *data = DATA(ctx), *end = END(ctx);
    if (data + 8 > end)
        return 0;
    u8 *p = data + data[0];
    return p[7];
}

SAFE
{
    u8 *data = DATA(ctx), *end = END(ctx);
    if (data + 8 > end)
        return 0;
    u8 *p = data + data[0];
    if (p + 8 > end)
        return 0;
    return p[7];
}
