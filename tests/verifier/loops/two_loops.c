// One loop finds a place, the next one begins there.
// input: packet=128*07 number=7
#include "../corpus.h"

PROGRAM(two_loops)
{
    u8 *data = DATA(ctx);
    u32 wanted = NUMBER(ctx), i = 0, sum = 0;
    if (data + 128 > END(ctx))
        return 0;
    KEPT while (i < 128 && data[i] != wanted)
        i++;
    KEPT for (; i < 128; i++)
        sum = sum * 31 + data[i];
    return sum;
}
