#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    volatile u8 local[8] = {};
    u32 at = ctx->number;
    return at <= 8 ? local[at] : 0;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    volatile u8 local[8] = {};
    u32 at = ctx->number;
    return at < 8 ? local[at] : 0;
}
