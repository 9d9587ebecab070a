// Two parts of a packet side by side, up to the first difference.
// input: packet=1200*07
#include "../corpus.h"

PROGRAM(compare_2x600)
{
    u8 *data = DATA(ctx);
    if (data + 1200 > END(ctx))
        return -1;
    KEPT for (u32 i = 0; i < 600; i++)
        if (data[i] != data[600 + i])
            return i;
    return 600;
}
