// At most 63 bytes of the packet, changed, to the stack behind one check.
// input: packet=63*07 number=63
#include "../corpus.h"

PROGRAM(copy_checked_once)
{
    u8 *data = DATA(ctx);
    u8 copy[64] = {};
    u32 n = NUMBER(ctx) & 63;
    if (data + 63 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < n; i++)
        copy[i] = data[i] ^ 0x55;
    return copy[0] + copy[n];
}
