// The index grows by what the packet says; the first rounds are harmless.
// facts: 6.38
// because: a later round is no copy of the first one: the index has grown
// input: packet=64*20
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

UNSAFE
{
    u8 *data = DATA(ctx);
    u32 zero = 0, at = 0, sum = 0;
    struct value *v = map_lookup(&values, &zero);
    if (!v || data + 8 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 8; i++) {
        sum += v->bytes[at];
        at += data[i] & 63;
    }
    return sum;
}

SAFE
{
    u8 *data = DATA(ctx);
    u32 zero = 0, at = 0, sum = 0;
    struct value *v = map_lookup(&values, &zero);
    if (!v || data + 8 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 8; i++) {
        sum += v->bytes[at];
        at = (at + data[i]) & 63;
    }
    return sum;
}
