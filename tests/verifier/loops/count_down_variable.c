// A counter from outside runs down to 0 while the pointer goes up.
// input: packet=512*07 number=512
#include "../corpus.h"

PROGRAM(count_down_variable)
{
    u8 *p = DATA(ctx);
    u32 n = NUMBER(ctx), sum = 0;
    if (n > 512 || p + 512 > END(ctx))
        return 0;
    KEPT while (n--)
        sum = sum * 31 + *p++;
    return sum;
}
