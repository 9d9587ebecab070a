// Counts packets by IP protocol, and drops those that are malformed.
#include "sample_ext.h"

#define VERDICT_PASS 0
#define VERDICT_DROP 1
#define VERDICT_NOT_IPV4 42

// Keys beside the 256 protocols.
#define KEY_MALFORMED 0xffffffff
#define KEY_NOT_IPV4 0xfffffffe

#define ETHERNET_SIZE 14
#define ETHERTYPE_HIGH 0x08
#define ETHERTYPE_LOW 0x00
#define IPV4_SIZE 20

struct
{
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, uint32_t);
    __type(value, uint64_t);
    __uint(max_entries, 258);
} by_protocol SEC(".maps");

SEC("sample_ext")
int count_by_protocol(sample_program_context_t *context)
{
    uint8_t *packet = context->data_start;
    uint8_t *end = context->data_end;
    uint32_t key = KEY_MALFORMED;
    uint32_t verdict = VERDICT_DROP;

    if (packet + ETHERNET_SIZE > end)
        goto count;
    if (packet[12] != ETHERTYPE_HIGH || packet[13] != ETHERTYPE_LOW) {
        key = KEY_NOT_IPV4;
        verdict = VERDICT_NOT_IPV4;
        goto count;
    }
    if (packet + ETHERNET_SIZE + IPV4_SIZE > end)
        goto count;
    // Version 4 in the high half; in the low half the header's length in words of four bytes.
    if (packet[14] < 0x45 || packet[14] > 0x4f)
        goto count;
    uint64_t header_size = (packet[14] & 0x0f) * 4;
    if (packet + ETHERNET_SIZE + header_size > end)
        goto count;
    key = packet[23];
    verdict = VERDICT_PASS;

count:;
    uint64_t *counted = bpf_map_lookup_elem(&by_protocol, &key);
    if (counted) {
        __sync_fetch_and_add(counted, 1);
    } else {
        uint64_t one = 1;
        bpf_map_update_elem(&by_protocol, &key, &one, BPF_ANY);
    }
    return verdict;
}
