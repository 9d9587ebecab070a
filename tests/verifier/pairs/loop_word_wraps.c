// Steps of 2 below the largest odd number: the sum wraps around before the test fails.
// facts: 5 (trip count), seeded "no wrap check"
// because: 0xfffffffe + 2 is 0 again
// input: number=0xfffffffe
// fault: TIMEOUT
#include "../corpus.h"

ASM_UNSAFE(LOAD_NUMBER(r1, r1)
           "w0 = 0;"
           "1: w0 += w1;"
           "w1 += 2;"
           "if w1 < -1 goto 1b;"
           "exit;")

ASM_SAFE(LOAD_NUMBER(r1, r1)
         "w0 = 0;"
         "w1 |= 0xffff000;"
         "w1 <<= 4;"
         "1: w0 += w1;"
         "w1 += 1;"
         "if w1 < -1 goto 1b;"
         "exit;")
