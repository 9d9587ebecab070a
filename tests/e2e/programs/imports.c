// Calls functions of another module, which it names by its GUID.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

#define IMPORT                                                                                     \
    __attribute__((section(".ksyms")))                                                             \
    __attribute__((btf_decl_tag("module_id:{8f6c1f83-ce4c-4b58-8b91-654a29e23b7c}")))

extern int sample_ebpf_extension_btf_lookup(uint64_t key, void *value, uint32_t size) IMPORT;
extern int add(uint64_t a, uint64_t b) IMPORT;

SEC("sample_ext")
int imports(sample_program_context_t *context)
{
    uint64_t value = 0;
    int sum = sample_ebpf_extension_btf_lookup(context->uint32_data, &value, sizeof(value));
    return add(sum, value);
}
