// Keeps low ports for a list of processes: who is not on it may not bind one.
#include "../include/bind.h"

#define AF_INET 2
#define FIRST_FREE_PORT 1024
#define OPERATION_BIND 0

struct
{
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, uint64_t);
    __type(value, uint32_t);
    __uint(max_entries, 1024);
} trusted SEC(".maps");

SEC(SECTION_BIND)
int keep_low_ports(bind_md_t *context)
{
    if (context->operation != OPERATION_BIND || context->socket_address[0] != AF_INET)
        return BIND_PERMIT_SOFT;
    // The port follows the family, in the order of the network.
    uint32_t port = context->socket_address[2] << 8 | context->socket_address[3];
    if (port == 0 || port >= FIRST_FREE_PORT)
        return BIND_PERMIT_SOFT;
    uint64_t process = context->process_id;
    return bpf_map_lookup_elem(&trusted, &process) ? BIND_PERMIT_HARD : BIND_DENY;
}
