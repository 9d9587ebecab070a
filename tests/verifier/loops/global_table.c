// A table among the global variables is filled, then read with indexes from the packet.
// input: packet=64*07
#include "../corpus.h"

static u8 table[128];

PROGRAM(global_table)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 64 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 128; i++)
        table[i] = i ^ 0x55;
    KEPT for (u32 i = 0; i < 64; i++)
        sum += table[data[i] & 127];
    return sum;
}
