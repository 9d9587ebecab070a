#include "sample.h"

/* Each of these is refused, for the one reason that its name gives. */

struct {
    __uint(type, ARRAY);
    __uint(max_entries, 4);
    __type(key, u32);
    __type(value, u64);
} values SEC(".maps");

SEC("sample_ext/null") int null_value(struct sample *ctx)
{
    u32 index = 0;
    u64 *value = map_lookup(&values, &index);
    return *value;
}

SEC("sample_ext/packet") int past_packet(struct sample *ctx)
{
    return ctx->data[3];
}

SEC("sample_ext/context") int past_context(struct sample *ctx)
{
    return ((u32 *)ctx)[8];
}

SEC("sample_ext/value") int past_value(struct sample *ctx)
{
    u32 index = 0;
    u64 *value = map_lookup(&values, &index);
    if (!value)
        return 0;
    return value[1];
}

SEC("sample_ext/stack") int past_stack(struct sample *ctx)
{
    char local[8] = {};
    *(volatile char *)(local - 600) = 1;
    return local[0];
}

SEC("sample_ext/unset") int unset_key(struct sample *ctx)
{
    u32 index;
    asm volatile("" : : "r"(&index) : "memory");
    return map_lookup(&values, &index) != 0;
}

SEC("sample_ext/helper") int unknown_helper(struct sample *ctx)
{
    return sample_unknown();
}

SEC("sample_ext/missing") int missing_helper(struct sample *ctx)
{
    return tail_call(ctx, &values, 0);
}

SEC("sample_ext/pointer") int write_pointer(struct sample *ctx)
{
    ctx->data = 0;
    return 0;
}

SEC("sample_ext/number") int number_as_pointer(struct sample *ctx)
{
    return *(u32 *)(u64)ctx->number;
}
