/* Functions of other modules, declared as eBPF for Windows wants them. */
#include "sample.h"

#define IMPORT(module) __attribute__((section(".ksyms"))) __attribute__((btf_decl_tag("module_id:" module)))
#define FIRST "{12345678-1234-1234-1234-123456789ABC}"
#define SECOND "{00000000-0000-0000-0000-000000000002}"

extern int first_lookup(u64 key, void *value, u32 size) IMPORT(FIRST);
extern int first_add(u64 a, u64 b) IMPORT(FIRST);
extern int second_add(u64 a, u64 b) IMPORT(SECOND);

static NOINLINE int twice(u64 a)
{
    return first_add(a, a);
}

SEC("sample_ext") int imports(struct sample *ctx)
{
    u64 value = 0;
    if (first_lookup(ctx->number, &value, sizeof(value)) < 0)
        return -1;
    return first_add(value, 1) + second_add(value, 2) + twice(value);
}

SEC("sample_ext") int misused(struct sample *ctx)
{
    u64 value = 0;
    return first_lookup(ctx->number, &value, 16);
}
