// Prints a line for each event.
#include "sample_ext.h"

SEC("sample_ext")
int trace_event(sample_program_context_t *context)
{
    // On the stack: a string literal would need a section of its own.
    char format[8] = {'g', 'o', 't', ' ', '%', 'u', 0, 0};
    bpf_trace_printk3(format, sizeof(format), context->uint32_data);
    return 0;
}
