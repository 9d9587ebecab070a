#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return *(volatile u32 *)&ctx->data;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    return ctx->data_end - ctx->data;
}
