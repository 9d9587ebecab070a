#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return ctx->data[3];
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u8 *data = ctx->data;
    if (data + 4 > ctx->data_end)
        return 0;
    return data[3];
}
