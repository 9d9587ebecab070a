#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    u64 twice = (u64)ctx->data * 2;
    return twice > 9;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u64 twice = (ctx->data_end - ctx->data) * 2;
    return twice > 9;
}
