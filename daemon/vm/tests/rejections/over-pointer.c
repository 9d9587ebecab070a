#include "../programs/sample.h"

struct frame {
    u8 bytes[8];
    struct sample *kept;
};

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    volatile struct frame frame = {};
    u32 at = ctx->number;
    frame.kept = ctx;
    if (at < 16)
        frame.bytes[at] = 1;
    return frame.kept->number;
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    volatile struct frame frame = {};
    u32 at = ctx->number;
    frame.kept = ctx;
    if (at < 8)
        frame.bytes[at] = 1;
    return frame.kept->number;
}
