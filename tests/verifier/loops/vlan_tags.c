// Strips at most 8 tags: the pointer moves by a constant, if what it shows is a tag.
// input: packet=12*00,8100000081000000810000008100000081000000810000008100000081000000,0800
#include "../corpus.h"

PROGRAM(vlan_tags)
{
    u8 *p = DATA(ctx) + 12, *end = END(ctx);
    u32 tags = 0;
    KEPT for (; tags < 8; tags++) {
        if (p + 4 > end || p[0] != 0x81 || p[1] != 0)
            break;
        p += 4;
    }
    return tags;
}
