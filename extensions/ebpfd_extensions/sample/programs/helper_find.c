// Passes two pieces of memory to a helper of the extension, each with its size.
#include "sample_ext.h"

SEC("sample_ext")
int call_find(sample_program_context_t *context)
{
    char text[8] = {'s', 'a', 'm', 'p', 'l', 'e', 0, 0};
    char wanted[4] = {'p', 'l', 'e', 0};
    return sample_ebpf_extension_find(text, sizeof(text), wanted, sizeof(wanted));
}
