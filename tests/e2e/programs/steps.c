// Goes on with the program that a user puts under index 0; 3 if there is none.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

struct
{
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 4);
    __type(key, uint32_t);
    __type(value, uint32_t);
} steps SEC(".maps");

SEC("sample_ext")
int first_step(sample_program_context_t *context)
{
    bpf_tail_call(context, &steps, 0);
    return 3;
}
