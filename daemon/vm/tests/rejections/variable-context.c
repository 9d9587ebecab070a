#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return ((u32 *)ctx)[4 + (ctx->number & 3)];
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    volatile u32 numbers[2] = {ctx->helper_data_1, ctx->helper_data_2};
    return numbers[ctx->number & 1];
}
