// Looks for the byte 0, no further than the packet goes.
// input: packet=1499*61,00
#include "../corpus.h"

PROGRAM(text_length)
{
    u8 *data = DATA(ctx), *end = END(ctx), *p = data;
    KEPT while (p + 1 <= end && *p)
        p++;
    return p - data;
}
