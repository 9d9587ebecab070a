// The check itself has the variable length: p + n <= end, for a signed n of at most 100.
// input: packet=100*07 number=100
#include "../corpus.h"

PROGRAM(signed_length_100)
{
    u8 *data = DATA(ctx);
    s32 n = NUMBER(ctx);
    u32 sum = 0;
    if (n < 0 || n > 100 || data + n > END(ctx))
        return 0;
    KEPT for (s32 i = 0; i < n; i++)
        sum = sum * 31 + data[i];
    return sum;
}
