// The start comes from the context; the end is constant.
// input: packet=200*07 number=0
#include "../corpus.h"

PROGRAM(start_from_outside)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 200 > END(ctx))
        return 0;
    KEPT for (u32 i = NUMBER(ctx); i < 200; i++)
        sum = sum * 31 + data[i];
    return sum;
}
