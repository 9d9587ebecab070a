// The test stands at the head, and its other side leaves the loop.
// input: packet=64*07 number=64
#include "../corpus.h"

ASM_PROGRAM(asm_head_test,
            LOAD_DATA(r2, r1)
            LOAD_END(r3, r1)
            LOAD_NUMBER(r5, r1)
            "r0 = 0;"
            "if r5 > 64 goto 2f;"
            "r4 = r2;"
            "r4 += 64;"
            "if r4 > r3 goto 2f;"
            "r1 = 0;"
            "1: if r1 >= r5 goto 2f;"
            "r4 = r2;"
            "r4 += r1;"
            "r4 = *(u8 *)(r4 + 0);"
            "r0 += r4;"
            "r1 += 1;"
            "goto 1b;"
            "2: exit;")
