// The same walk ends by `!=`: only equal steps from a start at or before the end keep it inside.
// input: packet=1500*07
#include "../corpus.h"

PROGRAM(walk_not_equal)
{
    u8 *p = DATA(ctx), *end = END(ctx);
    u32 sum = 0;
    KEPT while (p != end)
        sum = sum * 31 + *p++;
    return sum;
}
