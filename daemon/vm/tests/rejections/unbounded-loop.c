#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    u8 *p = ctx->data, *end = ctx->data_end;
    u32 kinds = 0;
    while (p + 2 <= end) {
        kinds = kinds * 31 + p[0];
        p += p[1];
    }
    return kinds;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u8 *p = ctx->data, *end = ctx->data_end;
    u32 kinds = 0;
    while (p + 2 <= end) {
        kinds = kinds * 31 + p[0];
        p += p[1] + 2;
    }
    return kinds;
}
