#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    struct sample *volatile kept = ctx;
    *(volatile u8 *)&kept = 1;
    return kept->number;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    struct sample *volatile kept = ctx;
    volatile u8 other = 1;
    return kept->number + other;
}
