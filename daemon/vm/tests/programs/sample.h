/* What the test programs need of a program type and its helpers. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define NOINLINE __attribute__((noinline))
#define __uint(name, value) int (*name)[value]
#define __type(name, type) type *name
#define __array(name, type) __typeof__(type) *name[]

enum { HASH = 1, ARRAY = 2, PROG_ARRAY = 3, HASH_OF_MAPS = 6, ARRAY_OF_MAPS = 7 };

struct sample {
    u8 *data;
    u8 *data_end;
    u32 number;
    u16 half;
    u32 helper_data_1;
    u32 helper_data_2;
};

static void *(*map_lookup)(void *map, const void *key) = (void *)1;
static long (*map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*map_delete)(void *map, const void *key) = (void *)3;
static long (*tail_call)(void *ctx, void *map, u32 index) = (void *)5;
static u32 (*prandom)(void) = (void *)6;
static u64 (*boot_ns)(void) = (void *)7;
static u32 (*processor)(void) = (void *)8;
static u64 (*time_ns)(void) = (void *)9;
static long (*printk0)(const char *format, u32 size) = (void *)12;
static long (*printk1)(const char *format, u32 size, u64 a) = (void *)13;
static long (*printk2)(const char *format, u32 size, u64 a, u64 b) = (void *)14;
static long (*memory_copy)(void *to, u32 room, const void *from, u32 size) = (void *)22;
static long (*memory_compare)(const void *a, u32 an, const void *b, u32 bn) = (void *)23;
static long (*memory_set)(void *to, u32 size, int byte) = (void *)24;

static long (*sample_first)(struct sample *ctx) = (void *)0x10000;
static long (*sample_find)(const void *in, u32 in_size, const void *what, u32 size) = (void *)0x10001;
static long (*sample_replace)(void *in, u32 in_size, long at, const void *by, u32 size) = (void *)0x10002;
static long (*sample_implicit_1)(void) = (void *)0x10003;
static long (*sample_implicit_2)(u32 add) = (void *)0x10004;
static long (*sample_map_value)(void *map, const void *key, void *value, u32 size) = (void *)0x10006;
static long (*sample_unknown)(void) = (void *)0x10007;
