// Nested, with a way out of the inner loop and a way out of both.
// input: packet=1024*07 number=9
#include "../corpus.h"

PROGRAM(nested_exits)
{
    u8 *data = DATA(ctx);
    u32 stop = NUMBER(ctx), rows = 0;
    if (data + 1024 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 32; i++) {
        KEPT for (u32 j = 0; j < 32; j++) {
            u8 byte = data[i * 32 + j];
            if (byte == 0xff)
                return rows;
            if (byte == stop)
                break;
            rows += byte;
        }
    }
    return rows;
}
