// Steps of 8 over words, started behind a header.
// input: packet=814*07
#include "../corpus.h"

PROGRAM(step_8)
{
    u8 *data = DATA(ctx);
    u64 sum = 0;
    if (data + 14 + 800 > END(ctx))
        return 0;
    KEPT for (u32 k = 14; k < 814; k += 8)
        sum ^= *(u64 *)(data + k);
    return sum;
}
