// A helper writes 16 bytes where the upper 8 hold a spilled pointer.
// facts: 1 (helper writing to the stack)
// because: what comes back is the helper's
// input: packet=16*07
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u64 room[2];
    u8 *data = DATA(ctx);
    if (data + 8 > END(ctx))
        return 0;
    *(u8 *volatile *)&room[1] = data;
    FILL(ctx, room, 16);
    return **(u8 *volatile *)&room[1];
}

SAFE
{
    u64 room[2];
    u8 *data = DATA(ctx);
    if (data + 8 > END(ctx))
        return 0;
    *(u8 *volatile *)&room[1] = data;
    FILL(ctx, room, 8);
    return **(u8 *volatile *)&room[1];
}
