// `offset + 8 > 64` in 32 bits lets the largest offsets through.
// facts: 6.3, 1 (sums in a wider type)
// because: 0xfffffffc + 8 is 4
// input: number=0xfffffffc
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

UNSAFE
{
    u32 zero = 0, offset = NUMBER(ctx);
    struct value *v = map_lookup(&values, &zero);
    u32 last = offset + 8;
    asm volatile("" : "+r"(last));
    if (!v || last > 64)
        return 0;
    return v->bytes[offset];
}

SAFE
{
    u32 zero = 0, offset = NUMBER(ctx);
    struct value *v = map_lookup(&values, &zero);
    if (!v || offset > 56)
        return 0;
    return v->bytes[offset];
}
