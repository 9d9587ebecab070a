#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    ctx->data = 0;
    return 0;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    ctx->number = 0;
    return 0;
}
