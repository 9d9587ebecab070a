#include "../programs/sample.h"

/* Of a contract that describes it strangely. */
static long (*strange)(u32 number) = (void *)0x1000a;

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return strange(ctx->number);
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    return sample_implicit_2(ctx->number);
}
