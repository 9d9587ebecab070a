// A byte of the packet is read without any check.
// facts: 7
// because: a packet may be empty
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    return *DATA(ctx);
}

SAFE
{
    u8 *data = DATA(ctx);
    return data + 1 > END(ctx) ? 0 : *data;
}
