// A counter of one byte is compared with 256.
// facts: 5 (trip count)
// because: after 255 comes 0
// input: packet=
// fault: TIMEOUT
#include "../corpus.h"

ASM_UNSAFE("w1 = 0;"
           "w0 = 0;"
           "1: w0 += w1;"
           "w1 += 1;"
           "w1 &= 255;"
           "if w1 < 256 goto 1b;"
           "exit;")

ASM_SAFE("w1 = 0;"
         "w0 = 0;"
         "1: w0 += w1;"
         "w1 += 1;"
         "w1 &= 255;"
         "if w1 < 255 goto 1b;"
         "exit;")
