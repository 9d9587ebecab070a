// A walk to the end of the packet, which tests both the pointer and what it reads.
// input: packet=1500*07
#include "../corpus.h"

PROGRAM(walk_guarded)
{
    u8 *end = END(ctx);
    u32 sum = 0;
    KEPT for (u8 *p = DATA(ctx); p < end; p++) {
        if (p + 1 > end)
            break;
        sum = sum * 31 + *p;
    }
    return sum;
}
