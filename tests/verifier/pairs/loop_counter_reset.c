// A byte of the packet sets the counter back.
// facts: 5 (induction)
// because: a packet that keeps the byte keeps the loop going
// input: packet=16*07
// fault: TIMEOUT
#include "../corpus.h"

UNSAFE
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 16 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 16; i++) {
        sum += data[i];
        if (data[i] == 7)
            i = 0;
    }
    return sum;
}

SAFE
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 16 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 16; i++) {
        sum += data[i];
        if (data[i] == 7)
            i = 15;
    }
    return sum;
}
