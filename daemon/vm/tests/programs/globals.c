#include "sample.h"

volatile u32 calls;
volatile u32 step = 3;
static volatile u64 last = 9;
const volatile u32 limit = 100;
const volatile u8 table[4] = {1, 2, 3, 4};
volatile u32 custom SEC(".data.custom") = 77;

SEC("sample_ext") int globals(struct sample *ctx)
{
    calls += step;
    last = ctx->number;
    return calls + limit + table[ctx->number & 3] + custom;
}
