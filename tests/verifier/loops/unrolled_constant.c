// Four at a time where four divides the number of rounds: no rest.
// input: packet=600*07
#include "../corpus.h"

PROGRAM(unrolled_constant)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 600 > END(ctx))
        return 0;
    _Pragma("clang loop unroll_count(4)") for (u32 i = 0; i < 600; i++)
        sum = sum * 31 + data[i];
    return sum;
}
