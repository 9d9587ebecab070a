#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    ctx->number = 1;
    return 0;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    ctx->helper_data_1 = 1;
    return 0;
}
