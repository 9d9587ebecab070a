#include "sample.h"

SEC("sample_ext") int general(struct sample *ctx)
{
    char to[8] = {}, from[8] = "abcdefg";
    static const char format[] = "number %d of %llu";
    memory_copy(to, sizeof(to), from, sizeof(from));
    if (memory_compare(to, sizeof(to), from, sizeof(from)) != 0)
        return 1;
    memory_set(to, sizeof(to), 'z');
    if (memory_compare(to, sizeof(to), from, sizeof(from)) != 1)
        return 2;
    if (boot_ns() == 0 || time_ns() == 0)
        return 3;
    char local[sizeof(format)];
    __builtin_memcpy(local, format, sizeof(format));
    printk2(local, sizeof(local), ctx->number, prandom() & 0);
    return 0;
}

struct {
    __uint(type, HASH);
    __uint(max_entries, 4);
    __type(key, u32);
    __type(value, u32);
} numbers SEC(".maps");

SEC("sample_ext") int extension(struct sample *ctx)
{
    u8 *data = ctx->data;
    if (data + 8 > ctx->data_end)
        return -1;
    char what[3] = "bcd";
    long at = sample_find(data, 8, what, sizeof(what));
    if (at < 0)
        return at;
    char by[3] = "XYZ";
    sample_replace(data, 8, at, by, sizeof(by));
    u32 key = 5, value = 0;
    sample_map_value(&numbers, &key, &value, sizeof(value));
    return sample_first(ctx) + sample_implicit_1() + sample_implicit_2(value);
}
