// A walk to the end of the packet: `p < end` alone proves the byte.
// input: packet=1500*07
#include "../corpus.h"

PROGRAM(walk_bytes)
{
    u8 *end = END(ctx);
    u32 sum = 0;
    KEPT for (u8 *p = DATA(ctx); p < end; p++)
        sum = sum * 31 + *p;
    return sum;
}
