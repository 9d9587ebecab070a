#include "../programs/sample.h"

SEC("sample_ext/bad") u64 bad(struct sample *ctx)
{
    return (u64)ctx;
}

SEC("sample_ext/good") u64 good(struct sample *ctx)
{
    return ctx->number;
}
