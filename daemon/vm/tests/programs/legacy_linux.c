/* Records of bpf_map_def as libbpf had it: five numbers. */
#include "sample.h"

struct bpf_map_def {
    u32 type;
    u32 key_size;
    u32 value_size;
    u32 max_entries;
    u32 map_flags;
};

struct bpf_map_def SEC("maps") first = {ARRAY, 4, 8, 3, 0};
struct bpf_map_def SEC("maps") second = {HASH, 4, 4, 5, 1};

SEC("sample_ext") int lookup(struct sample *ctx)
{
    u32 key = 0;
    return map_lookup(&first, &key) && map_lookup(&second, &key);
}
