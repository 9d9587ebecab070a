/* One source, two program types:
 *   (else)   of the sample extension, whose context has pointers: what this engine judges
 *   -DXDP    of the kernel, whose context has 32-bit fields: what Linux is asked about
 *
 * A file holds one loop (PROGRAM), or one mistake (UNSAFE) and the same program without it (SAFE).
 */
#ifndef CORPUS_H
#define CORPUS_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

#define INL static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
#define KEPT _Pragma("clang loop unroll(disable)")
#define SECTION(NAME) __attribute__((section(NAME), used))

/* For programs of assembly: where the two contexts differ, NUMBER and HALF are numbers from outside. */
#if defined(XDP)
#define TYPE "xdp"
typedef struct xdp_md {
    u32 data, data_end, data_meta, number, half, egress;
} context;
#define DATA(CTX) ((u8 *)(long)(CTX)->data)
#define END(CTX) ((u8 *)(long)(CTX)->data_end)
#define NUMBER(CTX) ((CTX)->number)
#define HALF(CTX) ((CTX)->half)
#define LOAD_DATA(TO, CTX) #TO " = *(u32 *)(" #CTX " + 0);"
#define LOAD_END(TO, CTX) #TO " = *(u32 *)(" #CTX " + 4);"
#define LOAD_NUMBER(TO, CTX) #TO " = *(u32 *)(" #CTX " + 12);"
#define LOAD_META(TO, CTX) #TO " = *(u32 *)(" #CTX " + 8);"
#define CALL_TAIL "call 12;"
#define CALL_CHECKSUM "call 28;"
#define CALL_RANDOM "call 7;"
#define CALL_ADJUST "call 44;"
#define CALL_PRINT "call 6;"
#define CONTEXT_SIZE 24
#define NARROW "u16"
#define STRADDLE "*(u32 *)(r1 + 2);"
#define WORD "u32"
#else
#define TYPE "sample_ext"
typedef struct sample_ctx {
    u8 *data_start, *data_end;
    u32 uint32_data;
    u16 uint16_data;
    u32 helper_data_1, helper_data_2;
} context;
#define DATA(CTX) ((CTX)->data_start)
#define END(CTX) ((CTX)->data_end)
#define NUMBER(CTX) ((CTX)->uint32_data)
#define HALF(CTX) ((CTX)->uint16_data)
#define LOAD_DATA(TO, CTX) #TO " = *(u64 *)(" #CTX " + 0);"
#define LOAD_END(TO, CTX) #TO " = *(u64 *)(" #CTX " + 8);"
#define LOAD_NUMBER(TO, CTX) #TO " = *(u32 *)(" #CTX " + 16);"
#define LOAD_META(TO, CTX) #TO " = *(u64 *)(" #CTX " + 24);"
#define CALL_TAIL "call 5;"
#define CALL_CHECKSUM "call 10;"
#define CALL_RANDOM "call 6;"
#define CALL_ADJUST "call 65543;"
#define CALL_PRINT "call 12;"
#define CONTEXT_SIZE 32
#define NARROW "u32"
#define STRADDLE "*(u64 *)(r1 + 4);"
#define WORD "u64"
#endif
#define CALL_LOOKUP "call 1;"
#define CALL_UPDATE "call 2;"

#define PROGRAM(NAME) SECTION(TYPE) int NAME(context *ctx)
#define UNSAFE SECTION(TYPE "/unsafe") int unsafe(context *ctx)
#define SAFE SECTION(TYPE "/safe") int safe(context *ctx)

/* The same, written in assembly: nothing before it, nothing behind it. */
#define NAKED __attribute__((naked))
#define ASM_PROGRAM(NAME, ...)                                                                     \
    SECTION(TYPE) NAKED int NAME(context *ctx) { asm volatile(__VA_ARGS__); }
#define ASM_UNSAFE(...)                                                                            \
    SECTION(TYPE "/unsafe") NAKED int unsafe(context *ctx) { asm volatile(__VA_ARGS__); }
#define ASM_SAFE(...)                                                                              \
    SECTION(TYPE "/safe") NAKED int safe(context *ctx) { asm volatile(__VA_ARGS__); }

/* r6 is the context from here on, r7 the number, r8 the packet's first eight bytes (0 without them). */
#define ASM_INPUT                                                                                  \
    "r6 = r1;" LOAD_NUMBER(r7, r6) LOAD_DATA(r2, r6) LOAD_END(r3, r6)                              \
    "r8 = 0; r4 = r2; r4 += 8; if r4 > r3 goto +1; r8 = *(u64 *)(r2 + 0);"
/* r0 is the value of key 0, or NULL; r6 to r9 stay, and the slot under the frame pointer is used. */
#define ASM_LOOKUP(NAME)                                                                           \
    "w1 = 0; *(u32 *)(r10 - 4) = r1; r2 = r10; r2 += -4; r1 = " #NAME " ll;" CALL_LOOKUP
#define ASM_VALUE(NAME) ASM_LOOKUP(NAME) "if r0 != 0 goto +2; w0 = 0; exit;"
/* r2 is the packet, r3 its end; to label 9 if it has fewer bytes. */
#define ASM_PACKET(BYTES)                                                                          \
    LOAD_DATA(r2, r1) LOAD_END(r3, r1) "r4 = r2; r4 += " #BYTES "; if r4 > r3 goto 9f;"
/* The byte at r0 plus a register. */
#define ASM_READ(AT) "r0 += " #AT "; r0 = *(u8 *)(r0 + 0); exit;"
#define ASM_END "9: w0 = 0; exit;"

enum { HASH = 1, ARRAY = 2, PROG_ARRAY = 3 };
#define MAP(NAME, KIND, KEY, VALUE, ENTRIES)                                                       \
    struct {                                                                                       \
        int (*type)[KIND];                                                                         \
        KEY *key;                                                                                  \
        VALUE *value;                                                                              \
        int (*max_entries)[ENTRIES];                                                               \
    } NAME SECTION(".maps")

#define VALUES(BYTES)                                                                              \
    struct value {                                                                                 \
        u8 bytes[BYTES];                                                                           \
    };                                                                                             \
    MAP(values, ARRAY, u32, struct value, 1)

static void *(*map_lookup)(void *map, const void *key) = (void *)1;
static long (*map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
/* The same helpers have other numbers there; sizes may be 0, and a pointer then null. */
#if defined(XDP)
static long (*tail_call)(void *ctx, void *map, u32 index) = (void *)12;
static u32 (*prandom)(void) = (void *)7;
static s64 (*checksum)(const void *from, u32 size, const void *to, u32 to_size, u32 seed) = (void *)28;
static long (*print)(const char *format, u32 size) = (void *)6;
/* What moves the packet; of the sample type only where a test's contract brings it. */
static long (*adjust)(void *ctx, int delta) = (void *)44;
static long (*packet_bytes)(void *ctx, u32 at, void *into, u32 size) = (void *)189;
#define FILL(CTX, INTO, SIZE) packet_bytes(CTX, 0, INTO, SIZE)
#else
static long (*tail_call)(void *ctx, void *map, u32 index) = (void *)5;
static u32 (*prandom)(void) = (void *)6;
static s64 (*checksum)(const void *from, u32 size, const void *to, u32 to_size, u32 seed) = (void *)10;
static long (*print)(const char *format, u32 size) = (void *)12;
static long (*adjust)(void *ctx, int delta) = (void *)0x10007;
static long (*memory_set)(void *to, u32 size, int byte) = (void *)24;
#define FILL(CTX, INTO, SIZE) memory_set(INTO, SIZE, 0x5a)
#endif

#endif
