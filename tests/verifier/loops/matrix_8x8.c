// A product of two matrices of packet bytes: three levels, two of which index each operand.
// input: packet=128*07
#include "../corpus.h"

PROGRAM(matrix_8x8)
{
    u8 *data = DATA(ctx);
    u32 sum = 0;
    if (data + 128 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 8; i++)
        KEPT for (u32 j = 0; j < 8; j++) {
            u32 cell = 0;
            KEPT for (u32 k = 0; k < 8; k++)
                cell += data[i * 8 + k] * data[64 + k * 8 + j];
            sum ^= cell;
        }
    return sum;
}
