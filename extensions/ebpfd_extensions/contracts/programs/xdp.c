// Drops UDP to ports on a list; takes off a VLAN tag in front of it first.
#include "../include/xdp.h"

#define ETHERNET_SIZE 14
#define VLAN_SIZE 4
#define IPV4_SIZE 20
#define UDP 17

struct
{
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, uint32_t);
    __type(value, uint64_t);
    __uint(max_entries, 65536);
} blocked SEC(".maps");

SEC(SECTION_XDP)
int block_ports(xdp_md_t *context)
{
    uint8_t *packet = context->data, *end = context->data_end;
    if (packet + ETHERNET_SIZE + VLAN_SIZE > end)
        return XDP_PASS;
    if (packet[12] == 0x81 && packet[13] == 0x00) {
        // The addresses move behind the tag, whose bytes are then cut off in front.
        for (int i = 11; i >= 0; i--)
            packet[i + VLAN_SIZE] = packet[i];
        if (bpf_xdp_adjust_head(context, VLAN_SIZE) < 0)
            return XDP_DROP;
        packet = context->data;
        end = context->data_end;
    }
    uint8_t *ip = packet + ETHERNET_SIZE;
    if (ip + IPV4_SIZE > end || packet[12] != 0x08 || packet[13] != 0x00 || ip[9] != UDP)
        return XDP_PASS;
    uint8_t *udp = ip + (ip[0] & 0x0f) * 4;
    if (udp + 4 > end)
        return XDP_PASS;
    uint32_t port = udp[2] << 8 | udp[3];
    uint64_t *dropped = bpf_map_lookup_elem(&blocked, &port);
    if (!dropped)
        return XDP_PASS;
    __sync_fetch_and_add(dropped, 1);
    return XDP_DROP;
}
