// Leaves a trace of each event in a map of several kinds.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

struct
{
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 2);
    __type(key, uint32_t);
    __type(value, uint32_t);
} by_lane SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 2);
    __type(key, uint32_t);
    __type(value, uint32_t);
} latest SEC(".maps");

struct prefix
{
    uint32_t length;
    uint32_t bits;
};

struct
{
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, 8);
    __type(key, struct prefix);
    __type(value, uint32_t);
} routes SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_QUEUE);
    __uint(max_entries, 2);
    __type(value, uint32_t);
} waiting SEC(".maps");

SEC("sample_ext")
int leave_traces(sample_program_context_t *context)
{
    uint32_t number = context->uint32_data, zero = 0, one = 1;
    uint32_t *counted = bpf_map_lookup_elem(&by_lane, &zero);
    if (counted)
        *counted += 1;
    bpf_map_update_elem(&latest, &number, &one, BPF_ANY);
    bpf_map_push_elem(&waiting, &number, BPF_EXIST);
    struct prefix key = {32, number};
    uint32_t *route = bpf_map_lookup_elem(&routes, &key);
    return route ? *route : 0;
}
