// Whole words to the end of the packet: `p + 8 <= end` gives safety and an end at once.
// input: packet=1504*07
#include "../corpus.h"

PROGRAM(chunks_of_8)
{
    u8 *end = END(ctx);
    u64 sum = 0;
    KEPT for (u8 *p = DATA(ctx); p + 8 <= end; p += 8)
        sum ^= *(u64 *)p;
    return sum;
}
