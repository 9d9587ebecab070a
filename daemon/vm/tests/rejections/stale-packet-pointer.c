#include "../programs/sample.h"

/* Of a contract that has it: moves the packet. */
static long (*adjust)(struct sample *ctx, int by) = (void *)0x10007;

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    u8 *data = ctx->data;
    if (data + 8 > ctx->data_end)
        return 0;
    adjust(ctx, 4);
    return data[0];
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    adjust(ctx, 4);
    u8 *data = ctx->data;
    if (data + 8 > ctx->data_end)
        return 0;
    return data[0];
}
