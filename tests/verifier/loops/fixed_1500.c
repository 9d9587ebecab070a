// The same over a whole packet: unrolling costs thousands of instructions.
// input: packet=1500*07
#include "../corpus.h"

PROGRAM(fixed_1500)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 1500 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 1500; i++)
        sum += data[i];
    return sum;
}
