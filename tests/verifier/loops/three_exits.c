// Ends by its count, by a byte, or by a sum.
// input: packet=300*07
#include "../corpus.h"

PROGRAM(three_exits)
{
    u8 *data = DATA(ctx);
    u32 sum = 0, i = 0;
    if (data + 300 > END(ctx))
        return 0;
    KEPT for (; i < 300; i++) {
        if (data[i] == '\n')
            break;
        sum += data[i];
        if (sum > 60000)
            return sum;
    }
    return i;
}
