#include "../programs/sample.h"

static NOINLINE u32 sum(u32 number)
{
    if (!number)
        return 0;
    u32 rest = sum(number - 1);
    asm volatile("" : "+r"(rest));
    return number + rest;
}

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return sum(ctx->number);
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u32 all = 0;
    for (u32 number = ctx->number & 15; number; number--)
        all += number;
    return all;
}
