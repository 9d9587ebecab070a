// Few rounds: the compiler leaves no loop.
// input: packet=8*07
#include "../corpus.h"

PROGRAM(small_unrolled)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 8 > END(ctx))
        return 0;
    for (u32 i = 0; i < 8; i++)
        sum += data[i];
    return sum;
}
