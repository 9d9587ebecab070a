// An index is 0 on the path that is looked at first, and needed only behind a later branch.
// facts: 6.33, 4 (precision)
// because: the second path is no copy of the first one, though nothing between needs the index
// input: packet=8*07 number=4096
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r9 = 0;"
           "if r7 == 0 goto 1f;"
           "r9 = r7;"
           "1: r1 = r8;"
           "r1 += 1;"
           "r2 = r1;"
           "r2 ^= 5;"
           "r2 += 3;"
           "r2 *= 7;"
           "r3 = r2;"
           "r3 &= 0xff;"
           "if r3 == 0xff goto 9f;"
           "if r8 == 0 goto 9f;"
           ASM_READ(r9)
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r9 = 0;"
         "if r7 == 0 goto 1f;"
         "r9 = r7;"
         "r9 &= 63;"
         "1: r1 = r8;"
         "r1 += 1;"
         "r2 = r1;"
         "r2 ^= 5;"
         "r2 += 3;"
         "r2 *= 7;"
         "r3 = r2;"
         "r3 &= 0xff;"
         "if r3 == 0xff goto 9f;"
         "if r8 == 0 goto 9f;"
         ASM_READ(r9)
         ASM_END)
