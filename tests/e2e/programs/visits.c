// Compiled for the context of yesterday, as its exported header declares it.
#include "../../../extensions/ebpfd_extensions/sample/programs/ebpf_helpers.h"

typedef struct __attribute__((preserve_access_index)) _visit
{
    void *data;
    void *data_end;
    uint32_t visitor;
    uint16_t floor;
} visit_t;

struct
{
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, uint32_t);
    __type(value, uint32_t);
    __uint(max_entries, 64);
} seen SEC(".maps");

SEC("visit")
int where(visit_t *visit)
{
    uint32_t visitor = visit->visitor, floor = visit->floor;
    bpf_map_update_elem(&seen, &visitor, &floor, BPF_ANY);
    return visitor * 100 + floor;
}
