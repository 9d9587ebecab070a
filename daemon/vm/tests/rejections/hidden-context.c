#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return ctx->helper_data_2;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    return ctx->helper_data_1;
}
