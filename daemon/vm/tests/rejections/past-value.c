#include "../programs/sample.h"

struct value {
    u8 bytes[64];
};

struct {
    __uint(type, ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct value);
} values SEC(".maps");

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    u32 key = 0;
    struct value *value = map_lookup(&values, &key);
    if (!value)
        return 0;
    return value->bytes[ctx->half];
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u32 key = 0;
    struct value *value = map_lookup(&values, &key);
    u32 at = ctx->half;
    if (!value || at >= sizeof(value->bytes))
        return 0;
    return value->bytes[at];
}
