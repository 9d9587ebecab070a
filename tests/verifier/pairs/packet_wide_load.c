// Seven bytes are proved, eight are read at once.
// facts: 3 (access checks)
// because: the load's last byte is behind what was checked
// input: packet=7*07
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    u8 *data = DATA(ctx);
    if (data + 7 > END(ctx))
        return 0;
    return *(u64 *)data;
}

SAFE
{
    u8 *data = DATA(ctx);
    if (data + 8 > END(ctx))
        return 0;
    return *(u64 *)data;
}
