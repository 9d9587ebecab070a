// The body runs before the first test.
// input: packet=100*07 number=99
#include "../corpus.h"

PROGRAM(at_least_once)
{
    u8 *data = DATA(ctx);
    u32 n = NUMBER(ctx), i = 0, sum = 0;
    if (n > 100 || data + 101 > END(ctx))
        return 0;
    KEPT do
        sum = sum * 31 + data[i];
    while (i++ < n);
    return sum;
}
