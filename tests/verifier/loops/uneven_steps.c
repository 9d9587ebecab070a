// Steps between 1 and 4, ended by `<`.
// input: packet=256*00
#include "../corpus.h"

PROGRAM(uneven_steps)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 256 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 256; i += 1 + (data[i] & 3))
        sum = sum * 31 + data[i];
    return sum;
}
