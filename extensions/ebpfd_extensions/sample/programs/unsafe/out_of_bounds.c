// Must be refused: the packet may be shorter than what is read.
#include "../sample_ext.h"

SEC("sample_ext")
int out_of_bounds(sample_program_context_t *context)
{
    uint8_t *packet = context->data_start;
    uint8_t *end = context->data_end;
    if (packet + 8 > end)
        return 0;
    return packet[8];
}
