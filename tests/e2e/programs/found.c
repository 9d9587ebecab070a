// 42 if a helper of the extension gives what the program was verified to rely on.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

SEC("sample_ext")
int found(sample_program_context_t *context)
{
    char text[8] = {'s', 'a', 'm', 'p', 'l', 'e', 0, 0};
    char wanted[4] = {'p', 'l', 'e', 0};
    return sample_ebpf_extension_find(text, sizeof(text), wanted, sizeof(wanted)) == 3 ? 42 : 0;
}
