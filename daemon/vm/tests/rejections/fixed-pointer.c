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
    void *map = &values;
    asm volatile("%0 += 8" : "+r"(map));
    return map_lookup(map, &key) != 0;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u32 key = 0;
    return map_lookup(&values, &key) != 0;
}
