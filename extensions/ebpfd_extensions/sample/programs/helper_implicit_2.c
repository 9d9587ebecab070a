// The same beside an argument.
#include "sample_ext.h"

SEC("sample_ext")
int call_implicit_2(sample_program_context_t *context)
{
    return sample_ebpf_extension_helper_implicit_2(context->uint32_data);
}
