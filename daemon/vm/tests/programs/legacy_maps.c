#include "sample.h"

/* The record of eBPF for Windows, up to its id. */
struct map { u32 type, key_size, value_size, max_entries, inner_index, pinning, id; };

struct map SEC("maps") first = {ARRAY, 4, 8, 3, 0, 0, 7};
struct map SEC("maps") second = {HASH, 4, 4, 5, 0, 1, 8};

SEC("sample_ext") int legacy(struct sample *ctx)
{
    u32 index = 2;
    u64 *value = map_lookup(&first, &index);
    if (!value)
        return -1;
    *value += 5;
    u32 number = ctx->number;
    return map_update(&second, &index, &number, 0);
}
