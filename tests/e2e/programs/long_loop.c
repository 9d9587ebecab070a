// Ends for certain, but not within the budget that every run has.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

SEC("sample_ext")
int long_loop(sample_program_context_t *context)
{
    uint32_t hash = context->uint32_data;
#pragma clang loop unroll(disable)
    for (uint32_t i = 0; i < 1000000000; i++)
        hash = (hash ^ i) * 16777619;
    return hash;
}
