#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    volatile u8 local[8] = {}, *place = local;
    asm volatile("" : "+r"(place));
    place[-600] = 1;
    return local[0];
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    volatile u8 local[8] = {}, *place = local;
    asm volatile("" : "+r"(place));
    place[7] = 1;
    return local[0];
}
