// The loop runs one round more than the check `p + n <= end` covers.
// facts: 5
// because: byte n is read of a packet that may have n bytes only
// input: packet=100*07 number=100
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u8 *data = DATA(ctx);
    u64 n = NUMBER(ctx);
    u32 sum = 0;
    if (n > 100 || data + n > END(ctx))
        return 0;
    KEPT for (u64 i = 0; i <= n; i++)
        sum = sum * 31 + data[i];
    return sum;
}

SAFE
{
    u8 *data = DATA(ctx);
    u64 n = NUMBER(ctx);
    u32 sum = 0;
    if (n > 100 || data + n + 1 > END(ctx))
        return 0;
    KEPT for (u64 i = 0; i <= n; i++)
        sum = sum * 31 + data[i];
    return sum;
}
