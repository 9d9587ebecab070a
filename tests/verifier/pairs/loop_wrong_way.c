// The counter goes down, the test waits for it to go up: four thousand million rounds.
// facts: 5 (trip count)
// because: it ends by wrapping around only, long after any budget
// input: packet=
// fault: TIMEOUT
#include "../corpus.h"

ASM_UNSAFE("w1 = 0;"
           "w0 = 0;"
           "1: w0 += w1;"
           "w1 += -1;"
           "if w1 s< 100 goto 1b;"
           "exit;")

ASM_SAFE("w1 = 0;"
         "w0 = 0;"
         "1: w0 += w1;"
         "w1 += 1;"
         "if w1 s< 100 goto 1b;"
         "exit;")
