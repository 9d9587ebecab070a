// Each byte has its own check, and the count ends the loop where the packet does not.
// input: packet=1600*07
#include "../corpus.h"

PROGRAM(checked_inside)
{
    u8 *data = DATA(ctx), *end = END(ctx);
    u32 sum = 0;
    KEPT for (u32 i = 0; i < 1500; i++) {
        if (data + i + 1 > end)
            break;
        sum += data[i];
    }
    return sum;
}
