#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    u8 *header = ctx->data + 8;
    if (header + 1 > ctx->data_end)
        return 0;
    return header[-9];
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u8 *header = ctx->data + 8;
    if (header + 1 > ctx->data_end)
        return 0;
    return header[-8];
}
