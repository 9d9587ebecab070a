// A helper of the extension sees the context without being passed it.
#include "sample_ext.h"

SEC("sample_ext")
int call_implicit_1(sample_program_context_t *context)
{
    uint32_t value = sample_ebpf_extension_helper_implicit_1();
    context->uint32_data = value;
    return value;
}
