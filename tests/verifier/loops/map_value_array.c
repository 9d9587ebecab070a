// A loop over the bytes of one map value.
// input: number=3
#include "../corpus.h"

struct histogram {
    u32 bins[64];
};
MAP(histograms, HASH, u32, struct histogram, 4);

PROGRAM(map_value_array)
{
    u32 key = NUMBER(ctx), sum = 0;
    struct histogram zero = {};
    map_update(&histograms, &key, &zero, 0);
    struct histogram *h = map_lookup(&histograms, &key);
    if (!h)
        return 0;
    KEPT for (u32 i = 0; i < 64; i++) {
        h->bins[i] += i;
        sum += h->bins[i];
    }
    return sum;
}
