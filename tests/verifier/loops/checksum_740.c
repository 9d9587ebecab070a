// The Internet checksum of 740 words, and the folding loop behind it.
// input: packet=1480*07
#include "../corpus.h"

PROGRAM(checksum_740)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 1480 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 740; i++)
        sum += ((u16 *)data)[i];
    sum = (sum & 0xffff) + (sum >> 16);
    return (u16)~((sum & 0xffff) + (sum >> 16));
}
