#include "../programs/sample.h"

struct {
    __uint(type, PROG_ARRAY);
    __uint(max_entries, 4);
    __type(key, u32);
    __type(value, u32);
} programs SEC(".maps");

static NOINLINE long go_on(struct sample *ctx)
{
    long failed = tail_call(ctx, &programs, 0);
    asm volatile("" : "+r"(failed));
    return failed;
}

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return go_on(ctx) != 0;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    return tail_call(ctx, &programs, 0) != 0;
}
