// The pointer runs back to the start of the packet.
// input: packet=100*07
#include "../corpus.h"

PROGRAM(walk_backward)
{
    u8 *data = DATA(ctx), *p = data + 100;
    u32 sum = 0;
    if (p > END(ctx))
        return 0;
    KEPT while (p > data)
        sum = sum * 31 + *--p;
    return sum;
}
