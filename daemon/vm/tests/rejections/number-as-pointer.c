#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return *(u32 *)(u64)ctx->number;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u8 *data = ctx->data;
    if (data + 4 > ctx->data_end)
        return 0;
    return *(u32 *)data;
}
