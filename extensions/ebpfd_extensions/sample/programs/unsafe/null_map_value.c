// Must be refused: what a lookup returns may be null, and nobody looks.
#include "../sample_ext.h"

struct
{
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, uint32_t);
    __type(value, uint64_t);
    __uint(max_entries, 16);
} values SEC(".maps");

SEC("sample_ext")
int null_map_value(sample_program_context_t *context)
{
    uint32_t key = context->uint32_data;
    uint64_t *value = bpf_map_lookup_elem(&values, &key);
    return *value;
}
