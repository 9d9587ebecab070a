// At most 63 bytes of the packet to the stack, each behind its own check.
// input: packet=63*07 number=63
#include "../corpus.h"

PROGRAM(copy_to_stack)
{
    u8 *data = DATA(ctx), *end = END(ctx);
    u8 copy[64] = {};
    u32 n = NUMBER(ctx) & 63;
    KEPT for (u32 i = 0; i < n; i++) {
        if (data + i + 1 > end)
            break;
        copy[i] = data[i];
    }
    return copy[0] + copy[n];
}
