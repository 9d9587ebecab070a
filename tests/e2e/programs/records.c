// Reports each event through a ring buffer: its number, and then the same as text.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

struct
{
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} reports SEC(".maps");

SEC("sample_ext")
int report(sample_program_context_t *context)
{
    struct
    {
        uint32_t number;
        char text[8];
    } record = {context->uint32_data, "reported"};
    return bpf_ringbuf_output(&reports, &record, sizeof(record), 0);
}
