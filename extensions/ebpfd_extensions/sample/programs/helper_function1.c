// Passes its context to a helper of the extension.
#include "sample_ext.h"

SEC("sample_ext")
int call_function1(sample_program_context_t *context)
{
    if (sample_ebpf_extension_helper_function1(context) != 0)
        return -1;
    return 42;
}
