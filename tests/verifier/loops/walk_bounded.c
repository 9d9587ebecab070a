// A pointer runs to another pointer into the same packet, which `!=` ends.
// input: packet=200*07
#include "../corpus.h"

PROGRAM(walk_bounded)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 200 > END(ctx))
        return 0;
    KEPT for (u8 *p = data; p != data + 200; p++) {
        sum = sum * 31 + *p;
        asm volatile("" : "+r"(p));
    }
    return sum;
}
