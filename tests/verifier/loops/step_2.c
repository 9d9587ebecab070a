// Steps of 2, ended by `!=`: safe because 2 divides the distance.
// input: packet=512*07
#include "../corpus.h"

PROGRAM(step_2)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 512 > END(ctx))
        return 0;
    KEPT for (u32 k = 0; k != 512; k += 2)
        sum = sum * 31 + *(u16 *)(data + k);
    return sum;
}
