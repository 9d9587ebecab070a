// A walk over options adds their length alone, which may be 0.
// facts: 5 (TLV)
// because: an option of length 0 is looked at forever
// input: packet=8*00
// fault: TIMEOUT
#include "../corpus.h"

UNSAFE
{
    u8 *p = DATA(ctx), *end = END(ctx);
    u32 kinds = 0;
    KEPT while (p + 2 <= end) {
        kinds = kinds * 31 + p[0];
        p += p[1];
    }
    return kinds;
}

SAFE
{
    u8 *p = DATA(ctx), *end = END(ctx);
    u32 kinds = 0;
    KEPT while (p + 2 <= end) {
        kinds = kinds * 31 + p[0];
        if (!p[1])
            break;
        p += p[1];
    }
    return kinds;
}
