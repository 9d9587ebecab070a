// One that goes on with what an array holds, and one that takes it out.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

struct
{
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 2);
    __type(key, uint32_t);
    __type(value, uint32_t);
} stations SEC(".maps");

SEC("sample_ext")
int leading(sample_program_context_t *context)
{
    bpf_tail_call(context, &stations, 0);
    return 3;
}

SEC("sample_ext")
int emptying(sample_program_context_t *context)
{
    uint32_t key = 0;
    bpf_map_delete_elem(&stations, &key);
    bpf_tail_call(context, &stations, 1);
    return 4;
}
