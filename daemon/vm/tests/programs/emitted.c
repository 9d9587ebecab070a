/* What a compiler makes of ordinary C: sections of strings and constants, weak names, functions. */
#include "sample.h"

/* Only in objects that are linked with others; without them its address is 0. */
extern u32 elsewhere __attribute__((weak));

const u32 table[4] SEC(".rodata.table") = {10, 20, 30, 40};
const u32 other[2] SEC(".rodata.other") = {5, 6};
u32 counter SEC(".data.counter") = 100;
u32 offset __attribute__((weak)) = 7;
u64 zeros[2];

__attribute__((weak)) NOINLINE int weak_function(u32 x)
{
    asm volatile("");
    return x * 3;
}

NOINLINE int global_function(u32 x)
{
    asm volatile("");
    return x + offset;
}

static NOINLINE int static_function(u32 x)
{
    asm volatile("");
    return x * 7;
}

SEC("sample_ext") int calls(struct sample *ctx)
{
    return weak_function(1) * 10000 + global_function(1) * 100 + static_function(1);
}

SEC("sample_ext") int constants(struct sample *ctx)
{
    return table[ctx->number & 3] + other[ctx->number & 1];
}

SEC("sample_ext") int letter(struct sample *ctx)
{
    const char *text = "abcd";
    return text[ctx->number & 3];
}

SEC("sample_ext") int counts(struct sample *ctx)
{
    zeros[1] += 2;
    return counter += zeros[1];
}

SEC("sample_ext") int absent(struct sample *ctx)
{
    return &elsewhere ? 1 : 2;
}

SEC("sample_ext/second") int beside(struct sample *ctx)
{
    return 3;
}
