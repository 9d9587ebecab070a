// As steps.c, for programs of a type of its own.
#include "../../../extensions/ebpfd_extensions/sample/programs/sample_ext.h"

SEC("other_ext")
int other_step(sample_program_context_t *context)
{
    return 6;
}
