// An option of length 0 is taken for one byte: two ways to step in each round.
// input: packet=64*00
#include "../corpus.h"

PROGRAM(tlv_one_at_least)
{
    u8 *p = DATA(ctx), *end = END(ctx);
    u32 kinds = 0;
    KEPT while (p + 2 <= end) {
        kinds = kinds * 31 + p[0];
        p += p[1] ? p[1] : 1;
    }
    return kinds;
}
