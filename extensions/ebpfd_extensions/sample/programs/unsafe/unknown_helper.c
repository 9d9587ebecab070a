// Must be refused: the program type offers no such helper.
#include "../sample_ext.h"

static int64_t (*const no_such_helper)(void) = (void *)0x1ffff;

SEC("sample_ext")
int unknown_helper(sample_program_context_t *context)
{
    return no_such_helper();
}
