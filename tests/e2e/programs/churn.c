// Changes maps of each kind that processes share, at the key that an event names: what is found in
// them later must be whole, wherever the process that ran this was killed.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

#define KEYS 64
#define WORDS 6

// All words are equal, and tell the key.
struct whole
{
    uint64_t words[WORDS];
};

struct prefix
{
    uint32_t length;
    uint32_t bits;
};

struct
{
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, uint32_t);
    __type(value, struct whole);
    __uint(max_entries, KEYS);
} by_key SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __type(key, uint32_t);
    __type(value, struct whole);
    __uint(max_entries, KEYS / 2);
} latest SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __type(key, struct prefix);
    __type(value, struct whole);
    __uint(max_entries, KEYS);
} routes SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_QUEUE);
    __type(value, struct whole);
    __uint(max_entries, KEYS);
} waiting SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_STACK);
    __type(value, struct whole);
    __uint(max_entries, KEYS);
} heap SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, uint32_t);
    __type(value, uint64_t);
    __uint(max_entries, 1);
} runs SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
    __type(key, uint32_t);
    __type(value, struct whole);
    __uint(max_entries, KEYS);
} by_lane SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} told SEC(".maps");

SEC("churn/all")
int churn_all(sample_program_context_t *context)
{
    uint32_t number = context->uint32_data, zero = 0;
    uint32_t key = number % KEYS;
    struct prefix prefix = {32 - number % 8, key};
    struct whole value, taken;
    for (int i = 0; i < WORDS; i++)
        value.words[i] = (uint64_t)number << 32 | key;
    if (number >> 8 & 1) {
        bpf_map_update_elem(&by_key, &key, &value, BPF_ANY);
        bpf_map_update_elem(&latest, &key, &value, BPF_ANY);
        bpf_map_update_elem(&by_lane, &key, &value, BPF_ANY);
        bpf_map_update_elem(&routes, &prefix, &value, BPF_ANY);
        bpf_map_push_elem(&waiting, &value, BPF_EXIST);
        bpf_map_push_elem(&heap, &value, BPF_EXIST);
    } else {
        bpf_map_delete_elem(&by_key, &key);
        bpf_map_delete_elem(&latest, &key);
        bpf_map_delete_elem(&by_lane, &key);
        bpf_map_delete_elem(&routes, &prefix);
        bpf_map_pop_elem(&waiting, &taken);
        bpf_map_pop_elem(&heap, &taken);
    }
    bpf_ringbuf_output(&told, &value, sizeof(value), 0);
    uint64_t *counted = bpf_map_lookup_elem(&runs, &zero);
    if (counted)
        __sync_fetch_and_add(counted, 1);
    return key;
}
