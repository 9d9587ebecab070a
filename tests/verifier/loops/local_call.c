// Each round calls a function: registers 6 to 9 keep the loop's state.
// input: packet=64*07
#include "../corpus.h"

NOINLINE u32 mixed(u32 sum, u32 byte)
{
    sum ^= byte;
    return sum * 16777619;
}

PROGRAM(local_call)
{
    u8 *data = DATA(ctx);
    u32 sum = 2166136261;
    if (data + 64 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 64; i++)
        sum = mixed(sum, data[i]);
    return sum;
}
