// The inner loop's counter is the outer one's, which it sets back.
// facts: 5 (nested)
// because: each round of the outer loop undoes the last one
// input: packet=
// fault: TIMEOUT
#include "../corpus.h"

ASM_UNSAFE("w0 = 0;"
           "w1 = 0;"
           "1: w1 += 4;"
           "2: w1 += -1;"
           "w0 += 1;"
           "w2 = w1;"
           "w2 &= 3;"
           "if w2 != 0 goto 2b;"
           "if w1 < 64 goto 1b;"
           "exit;")

ASM_SAFE("w0 = 0;"
         "w1 = 0;"
         "1: w1 += 4;"
         "w2 = 4;"
         "2: w2 += -1;"
         "w0 += 1;"
         "if w2 != 0 goto 2b;"
         "if w1 < 64 goto 1b;"
         "exit;")
