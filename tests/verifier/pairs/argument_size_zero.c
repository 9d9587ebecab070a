// A helper that wants at least one byte may get none.
// facts: 3 (size)
// because: the size argument allows no 0
#include "../corpus.h"

UNSAFE
{
    char text[8] = {'h', 'i'};
    return print(text, NUMBER(ctx) & 7);
}

SAFE
{
    char text[8] = {'h', 'i'};
    return print(text, (NUMBER(ctx) & 7) + 1);
}
