// What a lookup gives is used without a test.
// facts: 1 (maybe null)
// because: the key is not in the map
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

MAP(known, HASH, u32, u64, 4);

UNSAFE
{
    u32 key = 7;
    u64 *value = map_lookup(&known, &key);
    return *value;
}

SAFE
{
    u32 key = 7;
    u64 *value = map_lookup(&known, &key);
    return value ? *value : 0;
}
