// Lets a helper of the extension write into the program's memory.
#include "sample_ext.h"

SEC("sample_ext")
int call_replace(sample_program_context_t *context)
{
    char text[8] = {'a', 'b', 'c', 'd', 'e', 'f', 'g', 0};
    char with[4] = {'X', 'Y', 0, 0};
    int64_t position = context->uint16_data;
    if (sample_ebpf_extension_replace(text, sizeof(text), position, with, sizeof(with)) != 0)
        return -1;
    return (uint8_t)text[2] << 8 | (uint8_t)text[3];
}
