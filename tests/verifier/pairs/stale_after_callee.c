// The helper is called by a function that the program calls.
// facts: 6.50
// because: a callee's calls move the caller's packet
// contract: adjust
#include "../corpus.h"

NOINLINE int push(context *ctx)
{
    return adjust(ctx, 4);
}

UNSAFE
{
    u8 *data = DATA(ctx);
    if (data + 8 > END(ctx))
        return 0;
    push(ctx);
    return data[0];
}

SAFE
{
    u8 *data = DATA(ctx);
    if (data + 8 > END(ctx))
        return 0;
    u32 first = data[0];
    push(ctx);
    return first;
}
