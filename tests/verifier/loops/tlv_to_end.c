// The same without a count: what is added to the pointer is at least 2.
// input: packet=1500*00
#include "../corpus.h"

PROGRAM(tlv_to_end)
{
    u8 *p = DATA(ctx), *end = END(ctx);
    u32 kinds = 0;
    KEPT while (p + 2 <= end) {
        kinds = kinds * 31 + p[0];
        p += p[1] + 2;
    }
    return kinds;
}
