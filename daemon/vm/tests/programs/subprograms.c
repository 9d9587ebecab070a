#include "sample.h"

static NOINLINE int twice(int x) { return x * 2; }

NOINLINE int shared(int x)
{
    if (x > 100)
        return twice(x);
    return x + 1;
}

static NOINLINE int unused_by_first(int x) { return shared(x) - twice(x); }

/* A local function beside the programs. */
static NOINLINE SEC("sample_ext") int beside(int x) { return x ^ 7; }

SEC("sample_ext") int first(struct sample *ctx)
{
    return shared(ctx->number) + beside(ctx->half);
}

SEC("sample_ext/second") int second(struct sample *ctx)
{
    return unused_by_first(ctx->number);
}
