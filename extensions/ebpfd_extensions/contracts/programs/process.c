// Refuses to start images whose path is on a list, and tells of each that it has refused.
#include "../include/process.h"

#define CREATE 0
#define ACCESS_DENIED 0xC0000022
#define PATH_SIZE 64

struct path
{
    uint8_t text[PATH_SIZE];
};

struct refused
{
    uint64_t process_id;
    uint64_t parent_process_id;
    struct path path;
};

struct
{
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, struct path);
    __type(value, uint32_t);
    __uint(max_entries, 1024);
} unwanted SEC(".maps");

struct
{
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 65536);
} told SEC(".maps");

SEC(SECTION_PROCESS)
int refuse_images(process_md_t *context)
{
    struct refused refused = {};
    if (context->operation != CREATE)
        return PROCESS_ALLOW;
    if (bpf_process_get_image_path(context, &refused.path, sizeof(refused.path)) < 0)
        return PROCESS_ALLOW;
    if (!bpf_map_lookup_elem(&unwanted, &refused.path))
        return PROCESS_ALLOW;
    refused.process_id = context->process_id;
    refused.parent_process_id = context->parent_process_id;
    bpf_ringbuf_output(&told, &refused, sizeof(refused), 0);
    return ACCESS_DENIED;
}
