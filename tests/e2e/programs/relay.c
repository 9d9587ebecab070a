// Goes on with whatever is under index 0, one step less to go each time: itself, for example.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

struct
{
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 2);
    __type(key, uint32_t);
    __type(value, uint32_t);
} stations SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, uint64_t);
} passed SEC(".maps");

SEC("sample_ext")
int relay(sample_program_context_t *context)
{
    uint32_t key = 0;
    uint64_t *count = bpf_map_lookup_elem(&passed, &key);
    if (count)
        __sync_fetch_and_add(count, 1);
    if (context->uint32_data == 0)
        return 1;
    context->uint32_data -= 1;
    bpf_tail_call(context, &stations, 0);
    return 2;
}

SEC("sample_ext")
int asking(sample_program_context_t *context)
{
    return sample_ebpf_extension_helper_implicit_2(context->uint32_data);
}
