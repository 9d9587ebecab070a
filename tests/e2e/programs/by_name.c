// Maps that are pinned by their names: each file that declares them has the same ones.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

#define LIBBPF_PIN_BY_NAME 1

int finish(sample_program_context_t *context);

struct
{
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 8);
    __type(key, uint32_t);
    __type(value, uint64_t);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} shared_count SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 2);
    __type(key, uint32_t);
    __type(value, uint32_t);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
    __array(values, int(void *));
} shared_steps SEC(".maps") = {.values = {[1] = (void *)&finish}};

struct inner
{
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, uint64_t);
};

struct
{
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 2);
    __type(key, uint32_t);
    __type(value, uint32_t);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
    __array(values, struct inner);
} shared_inner SEC(".maps");

SEC("sample_ext")
int finish(sample_program_context_t *context)
{
    return 42;
}

SEC("sample_ext")
int count(sample_program_context_t *context)
{
    uint32_t key = 0, place = 1;
    uint64_t one = 1;
    uint64_t *value = bpf_map_lookup_elem(&shared_count, &key);
    if (value)
        *value += 1;
    else
        bpf_map_update_elem(&shared_count, &key, &one, 0);
    bpf_map_lookup_elem(&shared_inner, &key);
    bpf_tail_call(context, &shared_steps, place);
    return 0;
}
