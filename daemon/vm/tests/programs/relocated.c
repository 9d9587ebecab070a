/* Compiled against yesterday's context; the folder layouts has today's. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#include "sample.h"

struct flow {
    u16 ports[2];
    u8 protocol;
};

struct sample_context {
    u8 *data;
    u8 *data_end;
    u32 number;
    u16 half;
    union {
        u32 mark;
        struct {
            u16 low;
            u16 high;
        };
    };
    struct flow flow;
    u32 narrow : 3;
    u32 wide : 9;
    u32 removed;
    u8 kept : 5;
    u8 shifted : 3;
    u8 squeezed;
};

/* What only some layouts have. */
struct sample_context___new {
    u64 inserted;
};
struct nowhere {
    u32 anything;
};

enum mode { QUIET = 1, LOUD = 2 };
enum mode___new { SHOUTING = 1 };

#pragma clang attribute pop

#define field_info(field, question) __builtin_preserve_field_info(field, question)
#define type_info(type, question) __builtin_preserve_type_info(*(type *)0, question)
#define enum_info(type, name, question) __builtin_preserve_enum_value(*(type *)name, question)
enum { OFFSET, SIZE, EXISTS, SIGNED, LSHIFT, RSHIFT };

SEC("sample_ext") int number(struct sample_context *ctx)
{
    return ctx->number;
}

SEC("sample_ext") int half(struct sample_context *ctx)
{
    return ctx->half;
}

SEC("sample_ext") int grouped(struct sample_context *ctx)
{
    return ctx->high;
}

SEC("sample_ext") int second_port(struct sample_context *ctx)
{
    return ctx->flow.ports[1];
}

SEC("sample_ext") int written(struct sample_context *ctx)
{
    ctx->mark = 7;
    return 0;
}

SEC("sample_ext") int bit_field(struct sample_context *ctx)
{
    u64 value = *(u32 *)((u8 *)ctx + field_info(ctx->wide, OFFSET));
    value <<= field_info(ctx->wide, LSHIFT);
    return value >> field_info(ctx->wide, RSHIFT);
}

/* clang loads from the word's start here, with shifts that begin at the byte of the field. */
SEC("sample_ext") int misplaced_bits(struct sample_context *ctx)
{
    return ctx->wide;
}

SEC("sample_ext") int shifted_bits(struct sample_context *ctx)
{
    return ctx->shifted;
}

SEC("sample_ext") int overwritten_bits(struct sample_context *ctx)
{
    ctx->shifted = 5;
    return 0;
}

SEC("sample_ext") int squeezed_bits(struct sample_context *ctx)
{
    return ctx->squeezed;
}

SEC("sample_ext") int kept_bits(struct sample_context *ctx)
{
    return ctx->kept;
}

SEC("sample_ext") int removed(struct sample_context *ctx)
{
    return ctx->removed;
}

SEC("sample_ext") int asked_first(struct sample_context *ctx)
{
    if (field_info(ctx->removed, EXISTS))
        return ctx->removed;
    return 11;
}

SEC("sample_ext") int inserted(struct sample_context *ctx)
{
    struct sample_context___new *other = (void *)ctx;
    if (field_info(other->inserted, EXISTS))
        return field_info(other->inserted, OFFSET) * 100 + field_info(other->inserted, SIZE);
    return 0;
}

SEC("sample_ext") int stranger(struct sample_context *ctx)
{
    struct nowhere *other = (void *)ctx;
    return other->anything;
}

SEC("sample_ext") int types(struct sample_context *ctx)
{
    return type_info(struct flow, 0) * 1000 + type_info(struct nowhere, 0) * 100 +
           type_info(struct flow, 1) + field_info(ctx->number, SIGNED);
}

SEC("sample_ext") int enumerators(struct sample_context *ctx)
{
    return enum_info(enum mode, LOUD, 1) * 100 + enum_info(enum mode, LOUD, 0) * 10 +
           enum_info(enum mode___new, SHOUTING, 0);
}
