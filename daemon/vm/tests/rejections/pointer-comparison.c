#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return (u64)ctx->data > 1000;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    return ctx->data + 1000 > ctx->data_end;
}
