// A map of maps whose maps would be of an extension's type: nobody can make one.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

struct inner
{
    __uint(type, 15);
    __type(key, uint32_t);
    __type(value, uint32_t);
    __uint(max_entries, 4);
};

struct
{
    __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
    __type(key, uint32_t);
    __uint(max_entries, 4);
    __array(values, struct inner);
} outer SEC(".maps");

SEC("sample_ext")
int look(sample_program_context_t *context)
{
    uint32_t key = context->uint32_data;
    return bpf_map_lookup_elem(&outer, &key) != 0;
}
