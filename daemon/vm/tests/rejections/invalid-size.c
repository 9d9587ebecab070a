#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    char text[8] = "numbers";
    return printk0(text, ctx->number & 7);
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    char text[8] = "numbers";
    return printk0(text, (ctx->number & 7) + 1);
}
