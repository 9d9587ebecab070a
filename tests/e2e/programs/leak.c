// Tells an address to whoever reads the map: no run shows it, and every judge refuses it.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

struct
{
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, uint64_t);
} told SEC(".maps");

SEC("sample_ext")
int leak(sample_program_context_t *context)
{
    uint32_t key = 0;
    uint64_t *value = bpf_map_lookup_elem(&told, &key);
    if (value)
        *value = (uint64_t)context;
    return 0;
}
