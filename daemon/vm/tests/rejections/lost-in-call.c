#include "../programs/sample.h"

#define NAKED __attribute__((naked))

SEC("sample_ext/bad") NAKED int bad(struct sample *ctx)
{
    asm volatile("r2 = 5; call 6; r0 = r2; exit");
}

SEC("sample_ext/good") NAKED int good(struct sample *ctx)
{
    asm volatile("r6 = 5; call 6; r0 = r6; exit");
}
