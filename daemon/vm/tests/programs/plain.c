#include "sample.h"

SEC("sample_ext") int constant(struct sample *ctx)
{
    return 42;
}

SEC("sample_ext") int sum(struct sample *ctx)
{
    return ctx->number + ctx->half;
}

SEC("license") char license_text[] = "MIT";
