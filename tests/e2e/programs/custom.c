// Maps whose types an extension provides: one that programs use, one that they can only mention.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

#define PLAIN 15
#define MASKED 16

struct
{
    __uint(type, PLAIN);
    __type(key, uint32_t);
    __type(value, uint32_t);
    __uint(max_entries, 4);
} counts SEC(".maps");

struct
{
    __uint(type, MASKED);
    __type(key, uint32_t);
    __type(value, uint32_t);
    __uint(max_entries, 4);
} secrets SEC(".maps");

SEC("sample_ext")
int count(sample_program_context_t *context)
{
    uint32_t key = context->uint32_data, one = 1;
    uint32_t *value = bpf_map_lookup_elem(&counts, &key);
    if (value)
        return ++*value;
    bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
    return 1;
}

SEC("sample_ext")
int mention(sample_program_context_t *context)
{
    asm volatile("" : : "r"(&secrets));
    return 7;
}

SEC("sample_ext")
int touch(sample_program_context_t *context)
{
    uint32_t key = context->uint32_data;
    return bpf_map_delete_elem(&secrets, &key);
}
