// The counter lives in memory, in the upper half of a stack slot.
// input: packet=64*07
#include "../corpus.h"

PROGRAM(memory_counter_32)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    volatile u32 i;
    if (data + 64 > END(ctx))
        return 0;
    KEPT for (i = 0; i < 64; i++)
        sum += data[0];
    return sum;
}
