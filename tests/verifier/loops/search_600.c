// Leaves as soon as it has found what it looks for.
// input: packet=600*07 number=9
#include "../corpus.h"

PROGRAM(search_600)
{
    u8 *data = DATA(ctx);
    u32 wanted = NUMBER(ctx);
    if (data + 600 > END(ctx))
        return -1;
    KEPT for (u32 i = 0; i < 600; i++)
        if (data[i] == wanted)
            return i;
    return 600;
}
