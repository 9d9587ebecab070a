// A program array that is filled by its declaration, also with the program that calls it.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

int begin(sample_program_context_t *context);

SEC("sample_ext")
int finish(sample_program_context_t *context)
{
    return 42;
}

struct
{
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 4);
    __type(key, uint32_t);
    __type(value, uint32_t);
    __array(values, int(void *));
} steps SEC(".maps") = {.values = {[0] = (void *)&begin, [2] = (void *)&finish}};

SEC("sample_ext")
int begin(sample_program_context_t *context)
{
    bpf_tail_call(context, &steps, 2);
    return 3;
}
