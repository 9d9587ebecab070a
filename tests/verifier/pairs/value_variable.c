// An index that may be as large as the value.
// facts: 3 (access checks)
// because: byte 64 of 64
// input: number=64
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

UNSAFE
{
    u32 zero = 0, at = NUMBER(ctx);
    struct value *v = map_lookup(&values, &zero);
    if (!v || at > 64)
        return 0;
    return v->bytes[at];
}

SAFE
{
    u32 zero = 0, at = NUMBER(ctx);
    struct value *v = map_lookup(&values, &zero);
    if (!v || at >= 64)
        return 0;
    return v->bytes[at];
}
