// Sorts 16 numbers on the stack: triangular, with a swap in the middle.
// input: packet=0f0e0d0c0b0a09080706050403020100
#include "../corpus.h"

PROGRAM(sort_16)
{
    u8 *data = DATA(ctx);
    u32 numbers[16];
    if (data + 16 > END(ctx))
        return 0;
    KEPT for (u32 i = 0; i < 16; i++)
        numbers[i] = data[i];
    KEPT for (u32 i = 0; i < 15; i++)
        KEPT for (u32 j = 0; j < 15 - i; j++)
            if (numbers[j] > numbers[j + 1]) {
                u32 swap = numbers[j];
                numbers[j] = numbers[j + 1];
                numbers[j + 1] = swap;
            }
    return numbers[8];
}
