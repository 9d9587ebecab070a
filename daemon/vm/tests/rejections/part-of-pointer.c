#include "../programs/sample.h"

struct {
    __uint(type, HASH);
    __uint(max_entries, 4);
    __type(key, u32);
    __type(value, u64);
} numbers SEC(".maps");

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    u32 key = 0;
    u64 value = (u64)ctx;
    return map_update(&numbers, &key, &value, 0);
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u32 key = 0;
    u64 value = ctx->number;
    return map_update(&numbers, &key, &value, 0);
}
