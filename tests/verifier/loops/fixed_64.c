// Reads 64 bytes behind one check: clang's plainest loop, which ends by `!=`.
// input: packet=64*07
#include "../corpus.h"

PROGRAM(fixed_64)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 64 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 64; i++)
        sum = sum * 31 + data[i];
    return sum;
}
