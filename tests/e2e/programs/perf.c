// Reports each event through a perf event array, with the first four bytes of its data.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

struct
{
    __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
    __uint(max_entries, 4096);
} samples SEC(".maps");

SEC("sample_ext")
int sample(sample_program_context_t *context)
{
    uint32_t number = context->uint32_data;
    return bpf_perf_event_output(
        context, &samples, BPF_F_CURRENT_CPU | BPF_F_CTXLEN(4), &number, sizeof(number));
}
