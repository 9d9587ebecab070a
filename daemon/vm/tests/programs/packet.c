#include "sample.h"

/* Reads and writes the packet behind a bounds check. */
SEC("sample_ext/packet") int packet(struct sample *ctx)
{
    u8 *data = ctx->data;
    if (data + 4 > ctx->data_end)
        return -1;
    data[0] += 1;
    ctx->number = data[1];
    return data[2] << 8 | data[3];
}
