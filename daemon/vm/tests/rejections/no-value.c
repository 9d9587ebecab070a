#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    u32 number;
    asm volatile("%0 = r3" : "=r"(number));
    return number;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u32 number = ctx->number;
    return number;
}
