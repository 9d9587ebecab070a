// The pointer that a walk leaves behind is read once more.
// facts: 1 (packet range)
// because: after the loop it is at or past the end
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u8 *p = DATA(ctx), *end = END(ctx);
    u32 sum = 0;
    KEPT while (p < end)
        sum = sum * 31 + *p++;
    return sum + *p;
}

SAFE
{
    u8 *p = DATA(ctx), *end = END(ctx);
    u32 sum = 0, last = 0;
    KEPT while (p < end) {
        last = *p++;
        sum = sum * 31 + last;
    }
    return sum + last;
}
