/* One source, four entry conventions:
 *   -DVMB_SAMPLE      program of the sample extension, context in r1: the ordinary load path
 *   -DVMB_KERN        XDP program, context in r1: the kernel's BPF_PROG_TEST_RUN
 *   (else, for bpf)   bpf_main(mem, len) in r1 and r2: engines without contexts
 *   (native)          VMB_NAME(mem, len): the floor
 */
#ifndef VMB_H
#define VMB_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define INL static inline __attribute__((always_inline))
#define NOUNROLL _Pragma("clang loop unroll(disable)")
#define SECTION(NAME) __attribute__((section(NAME), used))

#if defined(VMB_KERN)
struct xdp_md_ {
    u32 data, data_end, data_meta, ifidx, rxq, egress;
};
#define VMB_PROG(BODY)                                                                             \
    SECTION("xdp") int bpf_main(struct xdp_md_ *ctx)                                               \
    {                                                                                              \
        return (int)BODY((u8 *)(long)ctx->data, (u8 *)(long)ctx->data_end);                        \
    }
#elif defined(VMB_SAMPLE)
struct sample_ctx {
    u8 *data_start, *data_end;
    u32 uint32_data;
    u16 uint16_data;
    u32 helper_data_1, helper_data_2;
};
#define VMB_PROG(BODY)                                                                             \
    SECTION("sample_ext") int bpf_main(struct sample_ctx *ctx)                                     \
    {                                                                                              \
        return (int)BODY(ctx->data_start, ctx->data_end);                                          \
    }
#elif defined(__bpf__)
#define VMB_PROG(BODY)                                                                             \
    SECTION("plain") u64 bpf_main(u8 *mem, u64 len)                                                \
    {                                                                                              \
        return (u32)BODY(mem, mem + len);                                                          \
    }
#else
#define VMB_PROG(BODY)                                                                             \
    __attribute__((visibility("default"))) u64 VMB_NAME(u8 *mem, u64 len)                          \
    {                                                                                              \
        return (u32)BODY(mem, mem + len);                                                          \
    }
#endif

#if defined(__bpf__)
/* Helpers 1 and 2 are those of the kernel, too. */
static void *(*map_lookup)(void *map, const void *key) = (void *)1;
static long (*map_update)(void *map, const void *key, const void *val, u64 flags) = (void *)2;
struct {
    int (*type)[2];
    u32 *key;
    u64 *value;
    int (*max_entries)[64];
} map0_array SECTION(".maps");
struct {
    int (*type)[1];
    u32 *key;
    u64 *value;
    int (*max_entries)[2048];
} map1_hash SECTION(".maps");
#else
struct native_map;
extern struct native_map map0_array, map1_hash;
void *map_lookup(void *map, const void *key);
long map_update(void *map, const void *key, const void *val, u64 flags);
#endif

#endif
