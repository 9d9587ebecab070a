// Counts the bits of a number: the loop ends, but only arithmetic says so, which no judge knows.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

SEC("sample_ext")
int clear_lowest(sample_program_context_t *context)
{
    int bits = 0;
#pragma clang loop unroll(disable)
    for (uint32_t v = context->uint32_data; v; v &= v - 1)
        bits++;
    return bits;
}
