// Reads a decimal number from text: a state in a register decides what a byte means.
// input: packet=2020202020202d3132333435363738393b
#include "../corpus.h"

PROGRAM(number_text)
{
    u8 *data = DATA(ctx), *end = END(ctx);
    u32 state = 0, value = 0;
    KEPT for (u32 i = 0; i < 64; i++) {
        if (data + i + 1 > end)
            break;
        u8 c = data[i];
        if (state == 0 && c == ' ')
            continue;
        if (state == 0 && c == '-') {
            state = 2;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        value = value * 10 + c - '0';
        state |= 1;
    }
    return state & 2 ? -value : value;
}
