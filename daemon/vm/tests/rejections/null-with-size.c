#include "../programs/sample.h"

static long (*checksum)(const void *from, u32 size, const void *to, u32 to_size, u32 seed) = (void *)10;

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    u32 number = ctx->number;
    return checksum(0, 4, &number, 4, 0);
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u32 number = ctx->number;
    return checksum(0, 0, &number, 4, 0);
}
