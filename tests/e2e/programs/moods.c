// Programs whose results hang on everything that a recording must hold: clocks, chance, lane, origin,
// and maps of many kinds as they were.  The second one differs from the first for every seventh number.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

static uint64_t (*const bpf_get_prandom_u32)(void) = (void *)6;
static uint64_t (*const bpf_ktime_get_ns)(void) = (void *)9;
static uint64_t (*const bpf_get_current_pid_tgid)(void) = (void *)19;

struct
{
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, uint32_t);
    __type(value, uint64_t);
    __uint(max_entries, 1024);
} seen SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __type(key, uint32_t);
    __type(value, uint64_t);
    __uint(max_entries, 1);
} here SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} told SEC(".maps");

uint64_t total;

static inline uint32_t mood_of(sample_program_context_t *context)
{
    uint32_t key = context->uint32_data, zero = 0;
    uint64_t said = bpf_ktime_get_ns() + bpf_get_prandom_u32() * 31;
    said += bpf_get_smp_processor_id() * 7 + bpf_get_current_pid_tgid();
    uint64_t *before = bpf_map_lookup_elem(&seen, &key);
    if (before)
        said += *before;
    uint64_t *mine = bpf_map_lookup_elem(&here, &zero);
    if (mine)
        said += ++*mine;
    total += said;
    bpf_map_update_elem(&seen, &key, &total, BPF_ANY);
    said = total;
    if (bpf_ringbuf_output(&told, &said, sizeof(said), 0) != 0)
        said++;
    context->uint16_data = said >> 8;
    return said >> 16;
}

SEC("sample_ext/mood")
int mood(sample_program_context_t *context)
{
    return mood_of(context);
}

SEC("sample_ext/changed")
int changed_mood(sample_program_context_t *context)
{
    uint32_t number = context->uint32_data;
    uint32_t result = mood_of(context);
    return number % 7 == 0 ? ~result : result;
}
