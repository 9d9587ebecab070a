// Calls a function of another module, but not for every event.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

extern int add(uint64_t a, uint64_t b) __attribute__((section(".ksyms")))
__attribute__((btf_decl_tag("module_id:{8f6c1f83-ce4c-4b58-8b91-654a29e23b7c}")));

SEC("sample_ext")
int adding(sample_program_context_t *context)
{
    if (context->uint32_data == 1)
        return 55;
    return add(1, 2);
}
