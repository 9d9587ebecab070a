// A word is read of which one byte was never written, at a variable place.
// facts: 6.41
// because: the read at offset 7 covers the byte that has no value
#include "../corpus.h"

ASM_UNSAFE(LOAD_NUMBER(r7, r1)
           "r7 &= 7;"
           "r1 = 0;"
           "*(u64 *)(r10 - 16) = r1;"
           "*(u32 *)(r10 - 8) = r1;"
           "*(u16 *)(r10 - 4) = r1;"
           "r2 = r10;"
           "r2 += -16;"
           "r2 += r7;"
           "r0 = *(u64 *)(r2 + 0);"
           "exit;")

ASM_SAFE(LOAD_NUMBER(r7, r1)
         "r7 &= 7;"
         "r1 = 0;"
         "*(u64 *)(r10 - 16) = r1;"
         "*(u64 *)(r10 - 8) = r1;"
         "r2 = r10;"
         "r2 += -16;"
         "r2 += r7;"
         "r0 = *(u64 *)(r2 + 0);"
         "exit;")
