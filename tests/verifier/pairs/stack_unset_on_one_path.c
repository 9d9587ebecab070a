// A stack slot is written on one of two paths, which then meet.
// facts: 4 (covers)
// because: on the other path its bytes have no value
#include "../corpus.h"

ASM_UNSAFE(LOAD_NUMBER(r1, r1)
           "if r1 != 0 goto 1f;"
           "r2 = 0;"
           "*(u64 *)(r10 - 8) = r2;"
           "1: r0 = *(u64 *)(r10 - 8);"
           "exit;")

ASM_SAFE(LOAD_NUMBER(r1, r1)
         "r2 = 1;"
         "*(u64 *)(r10 - 8) = r2;"
         "if r1 != 0 goto 1f;"
         "r2 = 0;"
         "*(u64 *)(r10 - 8) = r2;"
         "1: r0 = *(u64 *)(r10 - 8);"
         "exit;")
