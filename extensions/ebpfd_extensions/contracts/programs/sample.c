// Looks for a word at the start of the data, and says in the context where it begins.
#include "../include/sample.h"

#define WINDOW 16

SEC(SECTION_SAMPLE_EXT)
int find_word(sample_program_context_t *context)
{
    uint8_t *data = context->data_start, *end = context->data_end;
    char window[WINDOW] = {}, word[4] = "fox";
    if (data + WINDOW - 1 > end)
        return 0;
    for (int i = 0; i < WINDOW - 1; i++)
        window[i] = data[i];
    int64_t found = sample_ebpf_extension_find(window, sizeof(window), word, sizeof(word));
    context->uint32_data = found;
    return found >= 0;
}
