// Four at a time, and a loop for the rest: what holds for n & ~3 and n & 3 together holds for n.
// input: packet=256*07 number=255
#include "../corpus.h"

PROGRAM(unrolled_by_4)
{
    u8 *data = DATA(ctx);
    u32 n = NUMBER(ctx), sum = 0;
    if (n > 256 || data + 256 > END(ctx))
        return 0;
    _Pragma("clang loop unroll_count(4)") for (u32 i = 0; i < n; i++)
        sum = sum * 31 + data[i];
    return sum;
}
