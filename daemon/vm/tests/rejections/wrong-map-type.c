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

struct {
    __uint(type, PROG_ARRAY);
    __uint(max_entries, 4);
    __type(key, u32);
    __type(value, u32);
} programs SEC(".maps");

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return tail_call(ctx, &values, 0);
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    return tail_call(ctx, &programs, 0);
}
