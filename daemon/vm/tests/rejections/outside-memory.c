#include "../programs/sample.h"

/* Of a contract that has them: memory is asked for, and has to be given back. */
static u8 *(*reserve)(u32 size) = (void *)0x10008;
static void (*give_back)(u8 *memory) = (void *)0x10009;

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    u8 *memory = reserve(16);
    if (!memory)
        return 0;
    memory[16] = 1;
    give_back(memory);
    return 0;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u8 *memory = reserve(16);
    if (!memory)
        return 0;
    memory[15] = 1;
    give_back(memory);
    return 0;
}
