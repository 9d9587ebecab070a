// Steps of 4 behind one check; the index is the byte's offset.
// input: packet=400*07
#include "../corpus.h"

PROGRAM(step_4)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 400 > END(ctx))
        return 0;
    KEPT for (u32 k = 0; k < 400; k += 4)
        sum ^= *(u32 *)(data + k);
    return sum;
}
