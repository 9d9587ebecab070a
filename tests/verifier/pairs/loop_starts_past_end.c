// A walk that ends by `p != end` starts behind a header that may not be there.
// facts: 5 (trip count)
// because: a pointer past the end never meets it
// input: packet=4*07
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u8 *p = DATA(ctx) + 14, *end = END(ctx);
    u32 sum = 0;
    KEPT while (p != end)
        sum = sum * 31 + *p++;
    return sum;
}

SAFE
{
    u8 *p = DATA(ctx) + 14, *end = END(ctx);
    u32 sum = 0;
    KEPT while (p < end)
        sum = sum * 31 + *p++;
    return sum;
}
