// Four at a time by `!=` over n & ~3, then n & 3 counted down: clang's own shape of such a pair.
// input: packet=256*07 number=255
#include "../corpus.h"

ASM_PROGRAM(asm_remainder,
            LOAD_DATA(r2, r1)
            LOAD_END(r3, r1)
            LOAD_NUMBER(r5, r1)
            "r0 = 0;"
            "if r5 > 256 goto 9f;"
            "r4 = r2;"
            "r4 += 256;"
            "if r4 > r3 goto 9f;"
            "w1 = w5;"
            "w1 &= 3;"
            "w5 &= -4;"
            "r4 = 0;"
            "if w5 == 0 goto 2f;"
            "1: r3 = r2;"
            "r3 += r4;"
            "r6 = *(u8 *)(r3 + 0);"
            "r0 += r6;"
            "r6 = *(u8 *)(r3 + 1);"
            "r0 += r6;"
            "r6 = *(u8 *)(r3 + 2);"
            "r0 += r6;"
            "r6 = *(u8 *)(r3 + 3);"
            "r0 += r6;"
            "r4 += 4;"
            "if w4 != w5 goto 1b;"
            "2: if w1 == 0 goto 9f;"
            "r2 += r4;"
            "3: r6 = *(u8 *)(r2 + 0);"
            "r0 += r6;"
            "r2 += 1;"
            "w1 += -1;"
            "if w1 != 0 goto 3b;"
            "9: exit;")
