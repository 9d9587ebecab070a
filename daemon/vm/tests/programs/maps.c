#include "sample.h"

struct key { u32 a; u32 b; };

struct {
    __uint(type, HASH);
    __uint(max_entries, 16);
    __type(key, struct key);
    __type(value, u64);
    __uint(pinning, 1);
} flows SEC(".maps");

typedef struct {
    __uint(type, ARRAY);
    __uint(max_entries, 4);
    __type(key, u32);
    __type(value, u64);
} counters_t;

counters_t first SEC(".maps");
counters_t second SEC(".maps");

struct inner {
    __uint(type, ARRAY);
    __uint(key_size, 4);
    __uint(value_size, 8);
    __uint(max_entries, 2);
};

struct {
    __uint(type, HASH_OF_MAPS);
    __uint(max_entries, 3);
    __type(key, u32);
    __type(value, u32);
    __array(values, struct inner);
} nested SEC(".maps");

SEC("sample_ext") int count(struct sample *ctx)
{
    u32 index = 1;
    u64 *value = map_lookup(&second, &index);
    if (!value)
        return -1;
    __sync_fetch_and_add(value, ctx->number);
    struct key key = {1, ctx->number};
    u64 one = 1, *seen = map_lookup(&flows, &key);
    if (seen)
        *seen += 1;
    else
        map_update(&flows, &key, &one, 0);
    index = 0;
    value = map_lookup(&first, &index);
    if (value)
        *value += 1;
    return 0;
}

SEC("sample_ext") int forget(struct sample *ctx)
{
    struct key key = {1, ctx->number};
    return map_delete(&flows, &key);
}
