// A field of the context at a variable place.
// facts: 3 (ctx), 6.13
// because: the number 60 leads behind the context
// input: number=60
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(LOAD_NUMBER(r2, r1)
           "r2 &= 60;"
           "r1 += r2;"
           "r0 = *(u32 *)(r1 + 0);"
           "exit;")

ASM_SAFE(LOAD_NUMBER(r2, r1)
         "r2 &= 60;"
         LOAD_NUMBER(r0, r1)
         "r0 += r2;"
         "exit;")
