// The back edge is a jump of its own: `if i == N goto out; goto head`.
// input: packet=100*07
#include "../corpus.h"

ASM_PROGRAM(asm_two_jumps,
            LOAD_DATA(r2, r1)
            LOAD_END(r3, r1)
            "r0 = 0;"
            "r4 = r2;"
            "r4 += 100;"
            "if r4 > r3 goto 2f;"
            "r1 = 0;"
            "1: r4 = r2;"
            "r4 += r1;"
            "r4 = *(u8 *)(r4 + 0);"
            "r0 += r4;"
            "r1 += 1;"
            "if r1 == 100 goto 2f;"
            "goto 1b;"
            "2: exit;")
