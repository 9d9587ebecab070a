// The bound comes from the context, masked.
// input: packet=128*07 number=127
#include "../corpus.h"

PROGRAM(context_bound)
{
    u8 *data = DATA(ctx);
    u32 n = NUMBER(ctx) & 127, sum = 0;
    if (data + 128 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i <= n; i++)
        sum = sum * 31 + data[i];
    return sum;
}
