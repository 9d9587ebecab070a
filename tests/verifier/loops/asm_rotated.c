// The pointer is one step ahead of what is read, at negative offsets.
// input: packet=800*07
#include "../corpus.h"

ASM_PROGRAM(asm_rotated,
            LOAD_DATA(r2, r1)
            LOAD_END(r3, r1)
            "r0 = 0;"
            "r2 += 8;"
            "if r2 > r3 goto 2f;"
            "1: r4 = *(u64 *)(r2 - 8);"
            "r0 ^= r4;"
            "r2 += 8;"
            "if r2 <= r3 goto 1b;"
            "2: exit;")
