/* Records of bpf_elf_map as iproute2 has it: nine numbers, inner maps by id. */
#include "sample.h"

struct bpf_elf_map {
    u32 type;
    u32 size_key;
    u32 size_value;
    u32 max_elem;
    u32 flags;
    u32 id;
    u32 pinning;
    u32 inner_id;
    u32 inner_idx;
};

struct bpf_elf_map SEC("maps") inner = {.type = ARRAY, .size_key = 4, .size_value = 8, .max_elem = 2, .id = 42};
struct bpf_elf_map SEC("maps") outer = {
    .type = ARRAY_OF_MAPS, .size_key = 4, .size_value = 4, .max_elem = 3, .inner_id = 42};
struct bpf_elf_map SEC("maps") pinned = {
    .type = HASH, .size_key = 4, .size_value = 4, .max_elem = 5, .flags = 1, .pinning = 2};

SEC("sample_ext") int lookup(struct sample *ctx)
{
    u32 key = 0;
    return map_lookup(&outer, &key) && map_lookup(&pinned, &key);
}
