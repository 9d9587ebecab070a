// Counts network events by their type, which the first bytes of an event name.
#include "../include/netevent.h"

#define DROP 100
#define FLOW 101

struct
{
    __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
    __type(key, uint32_t);
    __type(value, uint64_t);
    __uint(max_entries, 8);
} by_type SEC(".maps");

SEC(SECTION_NETEVENT_MONITOR)
int count_events(netevent_event_md_t *context)
{
    uint8_t *header = context->event_data_meta;
    if (header + 2 > (uint8_t *)context->data_start)
        return 0;
    uint32_t type = header[0];
    if (type != DROP && type != FLOW)
        type = 0;
    uint64_t *count = bpf_map_lookup_elem(&by_type, &type);
    if (count) {
        *count += 1;
    } else {
        uint64_t one = 1;
        bpf_map_update_elem(&by_type, &type, &one, BPF_ANY);
    }
    return 0;
}
