// The length from 32-bit copies of the two pointers, cut to 1,500.
// input: packet=1600*07
#include "../corpus.h"

ASM_PROGRAM(asm_length_moved,
            LOAD_DATA(r2, r1)
            LOAD_END(r3, r1)
            "r0 = 0;"
            "w4 = w3;"
            "w5 = w2;"
            "w4 -= w5;"
            "if w4 < 1500 goto 1f;"
            "w4 = 1500;"
            "1: if w4 == 0 goto 3f;"
            "r1 = 0;"
            "2: r5 = r2;"
            "r5 += r1;"
            "r5 = *(u8 *)(r5 + 0);"
            "r0 += r5;"
            "r1 += 1;"
            "if r1 < r4 goto 2b;"
            "3: exit;")
