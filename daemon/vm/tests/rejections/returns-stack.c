#include "../programs/sample.h"

static NOINLINE u64 *own(void)
{
    u64 *slot;
    asm volatile("%0 = r10; %0 += -8; *(u64 *)(%0 + 0) = %0" : "=r"(slot));
    return slot;
}

static NOINLINE u64 *callers(u64 *slot)
{
    *slot = 7;
    return slot;
}

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return *own();
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u64 slot;
    return *callers(&slot);
}
