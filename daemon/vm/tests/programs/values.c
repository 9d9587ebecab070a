#include "sample.h"

SEC("sample_ext") int shown(struct sample *ctx) { return 1; }
SEC("sample_ext/hidden") static int hidden(struct sample *ctx) { return 2; }

struct {
    __uint(type, PROG_ARRAY);
    __uint(max_entries, 3);
    __type(key, u32);
    __type(value, u32);
    __array(values, int(void *));
} steps SEC(".maps") = { .values = { [0] = (void *)&shown, [2] = (void *)&hidden } };

struct side {
    __uint(type, ARRAY);
    __uint(key_size, 4);
    __uint(value_size, 8);
    __uint(max_entries, 2);
} left SEC(".maps"), right SEC(".maps");

struct {
    __uint(type, ARRAY_OF_MAPS);
    __uint(max_entries, 4);
    __type(key, u32);
    __type(value, u32);
    __array(values, struct side);
} sides SEC(".maps") = { .values = { [1] = &left, [3] = &right } };

SEC("sample_ext") int start(struct sample *ctx)
{
    tail_call(ctx, &steps, 2);
    return 3;
}
