// Counts connections by what happened to them, and remembers to which flow each port belongs.
#include "../include/sock_ops.h"

#define KINDS 3

struct
{
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, uint32_t);
    __type(value, uint64_t);
    __uint(max_entries, KINDS);
} counted SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __type(key, uint32_t);
    __type(value, uint64_t);
    __uint(max_entries, 4096);
} flows SEC(".maps");

SEC(SECTION_SOCKOPS)
int follow_flows(bpf_sock_ops_t *context)
{
    uint32_t kind = context->op, port = context->local_port;
    uint64_t *count = bpf_map_lookup_elem(&counted, &kind);
    if (!count)
        return BPF_SOCK_OPS_PERMIT;
    __sync_fetch_and_add(count, 1);
    uint64_t flow = bpf_sock_ops_get_flow_id(context);
    bpf_map_update_elem(&flows, &port, &flow, BPF_ANY);
    return BPF_SOCK_OPS_PERMIT;
}
