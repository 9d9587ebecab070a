#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    u32 round = 0;
    while (round != 10)
        asm volatile("" : "+r"(round));
    return round;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    u32 round = 0;
    while (round != 10) {
        asm volatile("" : "+r"(round));
        round++;
    }
    return round;
}
