// Sends connections to one address on to another, and tells the new peer where they were bound for.
#include "../include/sock_addr.h"

struct destination
{
    uint32_t address;
    uint32_t port;
};

struct
{
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, struct destination);
    __type(value, struct destination);
    __uint(max_entries, 256);
} proxies SEC(".maps");

SEC(SECTION_CGROUP_CONNECT4)
int redirect(bpf_sock_addr_t *context)
{
    struct destination wanted = {context->user_ip4, context->user_port};
    struct destination *proxy = bpf_map_lookup_elem(&proxies, &wanted);
    if (!proxy)
        return BPF_SOCK_ADDR_VERDICT_PROCEED_SOFT;
    if (bpf_sock_addr_set_redirect_context(context, &wanted, sizeof(wanted)) < 0)
        return BPF_SOCK_ADDR_VERDICT_REJECT;
    context->user_ip4 = proxy->address;
    context->user_port = proxy->port;
    return BPF_SOCK_ADDR_VERDICT_PROCEED_SOFT;
}
