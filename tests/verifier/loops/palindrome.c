// Two indexes: one goes up, one goes down.
// input: packet=128*07
#include "../corpus.h"

PROGRAM(palindrome)
{
    u8 *data = DATA(ctx);
    if (data + 128 > END(ctx))
        return -1;
    KEPT for (u32 i = 0, j = 127; i < j; i++, j--)
        if (data[i] != data[j])
            return 0;
    return 1;
}
