// The same with an unsigned length: no sign extension stands between the check and the loop.
// input: packet=100*07 number=100
#include "../corpus.h"

PROGRAM(unsigned_length_100)
{
    u8 *data = DATA(ctx);
    u64 n = NUMBER(ctx);
    u32 sum = 0;
    if (n > 100 || data + n > END(ctx))
        return 0;
    KEPT for (u64 i = 0; i < n; i++)
        sum = sum * 31 + data[i];
    return sum;
}
