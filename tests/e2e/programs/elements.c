// Elements of a map whose provider must know of them, written by programs; half are plain ones.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

#define ACCOUNTS 15

static void *(*const bpf_map_lookup_and_delete_elem)(void *map, const void *key) = (void *)4;

struct
{
    __uint(type, ACCOUNTS);
    __type(key, uint32_t);
    __type(value, uint32_t);
    __uint(max_entries, 4);
} accounts SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, uint32_t);
    __type(value, uint32_t);
    __uint(max_entries, 4);
} seen SEC(".maps");

SEC("sample_ext")
int put(sample_program_context_t *context)
{
    uint32_t key = context->uint32_data, value = context->uint16_data;
    return bpf_map_update_elem(&accounts, &key, &value, BPF_ANY);
}

SEC("sample_ext")
int drop(sample_program_context_t *context)
{
    uint32_t key = context->uint32_data;
    return bpf_map_delete_elem(&accounts, &key);
}

// Adds to what it finds in place, and counts that elsewhere: no provider is asked.
SEC("sample_ext")
int add(sample_program_context_t *context)
{
    uint32_t key = context->uint32_data, one = 1;
    uint32_t *value = bpf_map_lookup_elem(&accounts, &key);
    if (!value)
        return 0;
    bpf_map_update_elem(&seen, &key, &one, BPF_ANY);
    return *value += context->uint16_data;
}

// One call, of the one map or of the other.
SEC("sample_ext")
int either(sample_program_context_t *context)
{
    uint32_t key = context->uint32_data, value = 70;
    void *map = &seen;
    if (context->uint16_data)
        map = &accounts;
    return bpf_map_update_elem(map, &key, &value, BPF_ANY);
}

SEC("sample_ext")
int take(sample_program_context_t *context)
{
    uint32_t key = context->uint32_data;
    uint32_t *value = bpf_map_lookup_and_delete_elem(&accounts, &key);
    return value ? *value : 0;
}
