// A number around 2^32 is cut to 32 bits: its bounds are no longer in order.
// facts: 6.2
// because: from 2^32 - 8 to 2^32 + 7 becomes 0 to 7 *and* 0xfffffff8 to 0xffffffff
// input: packet=fcffffff00000000
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r1 = 0xfffffff8 ll;"
           "if r8 < r1 goto 9f;"
           "r1 += 15;"
           "if r8 > r1 goto 9f;"
           "w8 = w8;"
           ASM_READ(r8)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r1 = 0xfffffff8 ll;"
         "if r8 < r1 goto 9f;"
         "r1 += 15;"
         "if r8 > r1 goto 9f;"
         "w8 = w8;"
         "if r8 > 7 goto 9f;"
         ASM_READ(r8)
         ASM_END)
