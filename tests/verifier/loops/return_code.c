// The loop calls a function that says by its result whether it has read.
// input: packet=64*07
#include "../corpus.h"

INL s32 byte_at(u8 *data, u8 *end, u32 at, u8 *into)
{
    if (data + at + 1 > end)
        return -22;
    *into = data[at];
    return 0;
}

PROGRAM(return_code)
{
    u8 *data = DATA(ctx), *end = END(ctx), byte = 0;
    u32 sum = 0;
    KEPT for (u32 i = 0; i < 64; i++) {
        s32 error = byte_at(data, end, i, &byte);
        if (error)
            return error;
        sum = sum * 31 + byte;
    }
    return sum;
}
