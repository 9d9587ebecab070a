// Pointers to different memory are compared by size.
// facts: 2 (branches)
// because: the outcome tells where things lie
#include "../corpus.h"

ASM_UNSAFE("r0 = 0;"
           "if r1 > r10 goto 1f;"
           "r0 = 1;"
           "1: exit;")

ASM_SAFE(LOAD_DATA(r2, r1)
         LOAD_END(r3, r1)
         "r0 = 0;"
         "if r2 >= r3 goto 1f;"
         "r0 = 1;"
         "1: exit;")
