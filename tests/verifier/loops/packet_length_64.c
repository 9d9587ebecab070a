// The same difference in 64 bits.
// input: packet=1600*07
#include "../corpus.h"

PROGRAM(packet_length_64)
{
    u8 *data = DATA(ctx), *end = END(ctx);
    s64 length = end - data;
    u32 sum = 0;
    if (length > 1500)
        length = 1500;
    KEPT for (s64 i = 0; i < length; i++)
        sum += data[i];
    return sum;
}
