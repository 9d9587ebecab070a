// Fills a table on the stack, then looks up with a masked index.
// input: packet=64*07
#include "../corpus.h"

PROGRAM(stack_fill)
{
    u8 *data = DATA(ctx);
    u8 table[256];
    u32 sum = 0;
    if (data + 64 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 256; i++)
        table[i] = i * 7;
    KEPT for (u32 i = 0; i < 64; i++)
        sum += table[data[i] & 255];
    return sum;
}
