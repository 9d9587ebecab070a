// Each round looks a number up, and writes to what it finds.
// input: packet=32*07
#include "../corpus.h"

MAP(counts, ARRAY, u32, u64, 256);

PROGRAM(map_lookups)
{
    u8 *data = DATA(ctx);
    u32 found = 0;
    if (data + 32 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 32; i++) {
        u32 key = data[i];
        u64 *count = map_lookup(&counts, &key);
        if (!count)
            continue;
        *count += 1;
        found++;
    }
    return found;
}
