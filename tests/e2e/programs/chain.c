// Programs whose order can be told from what they leave behind.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

SEC("sample_ext")
int add_one(sample_program_context_t *context)
{
    context->uint32_data += 1;
    return context->uint32_data;
}

SEC("sample_ext")
int twice(sample_program_context_t *context)
{
    context->uint32_data *= 2;
    return context->uint32_data;
}
