// Calls and many live numbers push the counter out to the stack.
// input: packet=64*07 number=3
#include "../corpus.h"

PROGRAM(spilled_counter)
{
    u8 *data = DATA(ctx);
    u32 a = NUMBER(ctx), b = HALF(ctx), c = 1, d = 2, e = 3;
    if (data + 64 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 64; i++) {
        a += data[i];
        b ^= prandom();
        c = c * 31 + a;
        d ^= c + i;
        e += d ^ b;
    }
    return a ^ b ^ c ^ d ^ e;
}
