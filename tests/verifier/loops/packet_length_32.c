// The length is the 32-bit difference of the two pointers, cut to 1,500.
// input: packet=1600*07
#include "../corpus.h"

PROGRAM(packet_length_32)
{
    u8 *data = DATA(ctx), *end = END(ctx);
    u32 length = (u32)(end - data), sum = 0;
    if (length > 1500)
        length = 1500;
    KEPT for (u32 i = 0; i < length; i++)
        sum += data[i];
    return sum;
}
