// Two ways in: a cycle without a head of its own.
// input: packet=64*07 number=1
#include "../corpus.h"

ASM_PROGRAM(asm_two_heads,
            LOAD_DATA(r2, r1)
            LOAD_END(r3, r1)
            LOAD_NUMBER(r5, r1)
            "r0 = 0;"
            "r4 = r2;"
            "r4 += 64;"
            "if r4 > r3 goto 9f;"
            "r1 = 0;"
            "if r5 != 0 goto 2f;"
            "1: r0 += 1;"
            "2: r4 = r2;"
            "r4 += r1;"
            "r4 = *(u8 *)(r4 + 0);"
            "r0 += r4;"
            "r1 += 1;"
            "if r1 != 64 goto 1b;"
            "9: exit;")
