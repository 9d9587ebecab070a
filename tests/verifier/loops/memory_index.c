// The counter lives in memory and is the index, too.
// input: packet=64*07
#include "../corpus.h"

PROGRAM(memory_index)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    volatile u64 counter = 0;
    if (data + 64 > END(ctx))
        return 0;
    KEPT for (;;) {
        u64 i = counter;
        if (i >= 64)
            break;
        sum += data[i];
        counter = i + 1;
    }
    return sum;
}
