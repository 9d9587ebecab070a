// The greatest common divisor: a remainder is less than its divisor, so the loop ends, but no judge
// counts its rounds.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

SEC("sample_ext")
int divisor(sample_program_context_t *context)
{
    uint32_t a = context->uint32_data, b = context->helper_data_1;
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}
