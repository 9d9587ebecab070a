// Halves what is left: both ends move.
// input: packet=256*07 number=8
#include "../corpus.h"

PROGRAM(binary_search)
{
    u8 *data = DATA(ctx);
    u32 wanted = NUMBER(ctx), low = 0, high = 256;
    if (data + 256 > END(ctx))
        return -1;
    KEPT while (low < high) {
        u32 middle = (low + high) / 2;
        if (data[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
