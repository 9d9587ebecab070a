// A walk over options, each of which tells its length; at most 32.
// input: packet=64*00
#include "../corpus.h"

PROGRAM(tlv_32)
{
    u8 *p = DATA(ctx), *end = END(ctx);
    u32 kinds = 0;
    KEPT for (u32 i = 0; i < 32; i++) {
        if (p + 2 > end)
            break;
        kinds = kinds * 31 + p[0];
        p += p[1] + 2;
    }
    return kinds;
}
