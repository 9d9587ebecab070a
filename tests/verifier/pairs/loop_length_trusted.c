// An option's length is believed: its last byte is read without a check.
// facts: 5 (TLV)
// because: the option may claim to be longer than the packet
// input: packet=01ff
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u8 *p = DATA(ctx), *end = END(ctx);
    u32 sum = 0;
    KEPT for (u32 i = 0; i < 16; i++) {
        if (p + 2 > end)
            break;
        u32 length = p[1];
        sum += p[length];
        p += length + 2;
    }
    return sum;
}

SAFE
{
    u8 *p = DATA(ctx), *end = END(ctx);
    u32 sum = 0;
    KEPT for (u32 i = 0; i < 16; i++) {
        if (p + 2 > end)
            break;
        u32 length = p[1];
        if (p + length + 1 > end)
            break;
        sum += p[length];
        p += length + 2;
    }
    return sum;
}
