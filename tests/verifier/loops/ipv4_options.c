// Options of an IPv4 header, whose length is a field: steps of 1 or of what the option says.
// input: packet=4f000000,16*00,40*01
#include "../corpus.h"

PROGRAM(ipv4_options)
{
    u8 *data = DATA(ctx), *end = END(ctx);
    u32 options = 0;
    if (data + 20 > end)
        return -1;
    u32 length = (data[0] & 15) * 4;
    u32 at = 20;
    KEPT while (at < length) {
        u8 *p = data + at;
        if (p + 2 > end || p[0] == 0)
            break;
        options++;
        if (p[0] == 1) {
            at++;
            continue;
        }
        if (p[1] < 2)
            return -1;
        at += p[1];
    }
    return options;
}
