// Counts in the inner map that the event's number chooses; 7 if there is none.  From 100 on the
// number says which is taken out.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

struct inner
{
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, uint64_t);
} ready SEC(".maps"), spare SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 4);
    __type(key, uint32_t);
    __type(value, uint32_t);
    __array(values, struct inner);
} chosen SEC(".maps") = {.values = {[1] = &ready}};

SEC("sample_ext")
int count_in(sample_program_context_t *context)
{
    uint32_t which = context->uint32_data, zero = 0;
    if (which >= 100) {
        which -= 100;
        return bpf_map_delete_elem(&chosen, &which);
    }
    void *inner = bpf_map_lookup_elem(&chosen, &which);
    if (!inner)
        return 7;
    uint64_t *value = bpf_map_lookup_elem(inner, &zero);
    if (!value)
        return 8;
    *value += 1;
    return 0;
}
