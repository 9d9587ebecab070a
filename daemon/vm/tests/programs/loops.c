#include "sample.h"

SEC("sample_ext") int bounded(struct sample *ctx)
{
    u32 sum = 0;
    for (u32 i = 0; i < 1000; i++) {
        sum += i;
        asm volatile("" : "+r"(sum));
    }
    return sum;
}

SEC("sample_ext") int endless(struct sample *ctx)
{
    u32 sum = 0;
    for (;;) {
        sum++;
        asm volatile("" : "+r"(sum));
    }
    return sum;
}

SEC("sample_ext") int finite_by_input(struct sample *ctx)
{
    u32 n = ctx->number, sum = 0;
    for (u32 i = 0; i < n; i++) {
        sum += i;
        asm volatile("" : "+r"(sum));
    }
    return sum;
}
