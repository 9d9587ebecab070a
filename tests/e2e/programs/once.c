// Two programs that count each event by its number in one map, and say who they are.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

#define EVENTS 262144

struct
{
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, uint32_t);
    __type(value, uint32_t);
    __uint(max_entries, EVENTS);
} seen SEC(".maps");

static inline void count(sample_program_context_t *context)
{
    uint32_t event = context->uint32_data;
    uint32_t *times = bpf_map_lookup_elem(&seen, &event);
    if (times)
        __sync_fetch_and_add(times, 1);
}

SEC("sample_ext")
int first(sample_program_context_t *context)
{
    count(context);
    return 1;
}

SEC("sample_ext")
int second(sample_program_context_t *context)
{
    count(context);
    return 2;
}
