#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    volatile u64 slot = (u64)ctx;
    __sync_fetch_and_add(&slot, 1);
    return 0;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    volatile u64 slot = ctx->number;
    __sync_fetch_and_add(&slot, 1);
    return 0;
}
