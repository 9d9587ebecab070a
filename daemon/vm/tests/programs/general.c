/* General helpers beside those of helpers.c: one program each, which returns 0 or its first mistake. */
#include "sample.h"

static int (*checksum)(const void *from, u32 from_size, const void *to, u32 size, u32 seed) = (void *)10;
static long (*printk3)(const char *format, u32 size, u64 a, u64 b, u64 c) = (void *)15;
static u64 (*pid_tgid)(void) = (void *)19;
static u64 (*logon_id)(struct sample *ctx) = (void *)20;
static int (*is_admin)(struct sample *ctx) = (void *)21;
static long (*memory_move)(void *to, u32 room, const void *from, u32 size) = (void *)25;
static int (*string_copy)(char *to, u32 room, const char *from, u32 size) = (void *)27;
static int (*string_append)(char *to, u32 room, const char *from, u32 size) = (void *)28;
static long (*string_length)(const char *text, u32 size) = (void *)29;
static u64 (*boot_ms)(void) = (void *)30;
static u64 (*time_ms)(void) = (void *)31;
static u64 (*start_key)(void) = (void *)33;
static u64 (*create_time)(void) = (void *)34;

SEC("sample_ext") int sums(struct sample *ctx)
{
    u32 from = 0x00020001, to = 0x00040003;
    if (checksum(0, 0, &to, sizeof(to), 5) != 12)
        return 1;
    if (checksum(&from, sizeof(from), &to, sizeof(to), 0) != 2 * 0xffff + 4)
        return 2;
    return checksum(0, 0, &to, 2, 0) == -22 ? 0 : 3;
}

SEC("sample_ext") int origins(struct sample *ctx)
{
    u64 both = pid_tgid();
    if ((both >> 32) == 0 || (u32)both == 0)
        return 1;
    if (is_admin(ctx) != -1)
        return 2;
    if (start_key() != start_key() || create_time() != create_time())
        return 3;
    return logon_id(ctx) == logon_id(ctx) ? 0 : 4;
}

SEC("sample_ext") int strings(struct sample *ctx)
{
    char buffer[20] = {}, first[6] = "alpha", second[5] = "alfa", both[10] = "alphaalfa";
    if (string_length(buffer, sizeof(buffer)) != 0 || string_length(first, sizeof(first)) != 5)
        return 1;
    if (string_copy(buffer, sizeof(buffer), first, sizeof(first)) != 0)
        return 2;
    if (string_append(buffer, sizeof(buffer), second, sizeof(second)) != 0)
        return 3;
    if (memory_compare(buffer, sizeof(both), both, sizeof(both)) != 0)
        return 4;
    return string_copy(buffer, 5, first, sizeof(first)) < 0 ? 0 : 5;
}

SEC("sample_ext") int clocks(struct sample *ctx)
{
    if (boot_ms() < time_ms() || time_ms() * 1000000 > time_ns())
        return 1;
    u64 ms = boot_ms();
    return boot_ns() / 1000000 - ms < 60000 ? 0 : 2;
}

SEC("sample_ext") int others(struct sample *ctx)
{
    char text[16] = "%d %lu %llx%%\n", copy[16] = {};
    memory_move(copy, sizeof(copy), text, sizeof(text));
    if (memory_compare(copy, sizeof(copy), text, sizeof(text)) != 0)
        return 1;
    if (printk3(text, sizeof(text), 1, 22, 0xabc) != 9)
        return 2;
    return processor() > 4096 ? 3 : 0;
}
