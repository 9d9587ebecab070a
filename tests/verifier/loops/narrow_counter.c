// The counter is a byte.
// input: packet=200*07
#include "../corpus.h"

PROGRAM(narrow_counter)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    u8 i = 0;
    if (data + 200 > END(ctx))
        return 0;
    KEPT do {
        sum = sum * 31 + data[i];
        asm volatile("" : "+r"(i));
        i++;
    } while (i < 200);
    return sum;
}
