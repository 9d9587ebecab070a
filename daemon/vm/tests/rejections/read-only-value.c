#include "../programs/sample.h"

static const volatile u8 table[16] = {1, 2, 3};
static volatile u8 counts[16] = {1};

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    ((volatile u8 *)table)[ctx->number & 15] = 7;
    return 0;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    counts[ctx->number & 15] = 7;
    return table[0];
}
