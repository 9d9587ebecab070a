#include "../programs/sample.h"

#define LEVEL(NAME, NEXT)                    \
    static NOINLINE u32 NAME(u32 number)     \
    {                                        \
        u32 found = NEXT(number + 1);        \
        asm volatile("" : "+r"(found));      \
        return found + number;               \
    }

static NOINLINE u32 last(u32 number)
{
    asm volatile("" : "+r"(number));
    return number;
}

LEVEL(eighth, last)
LEVEL(seventh, eighth)
LEVEL(sixth, seventh)
LEVEL(fifth, sixth)
LEVEL(fourth, fifth)
LEVEL(third, fourth)
LEVEL(second, third)

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return second(ctx->number);
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    return third(ctx->number);
}
