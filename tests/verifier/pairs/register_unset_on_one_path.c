// A register is set on one of two paths, which then meet.
// facts: 6.10, 4 (covers)
// because: on the other path r3 has no value
#include "../corpus.h"

ASM_UNSAFE(LOAD_NUMBER(r2, r1)
           "if r2 == 0 goto 1f;"
           "r3 = 1;"
           "1: r0 = r3;"
           "exit;")

ASM_SAFE(LOAD_NUMBER(r2, r1)
         "r3 = 0;"
         "if r2 == 0 goto 1f;"
         "r3 = 1;"
         "1: r0 = r3;"
         "exit;")
