// A variable size may exceed the buffer by its largest value only.
// facts: 3 (size)
// because: 12 bytes of 8
// input: number=12
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(LOAD_NUMBER(r2, r1)
           "r1 = 0;"
           "*(u64 *)(r10 - 8) = r1;"
           "r2 &= 12;"
           "r1 = r10;"
           "r1 += -8;"
           "r3 = 0;"
           "r4 = 0;"
           "r5 = 0;"
           CALL_CHECKSUM
           "exit;")

ASM_SAFE(LOAD_NUMBER(r2, r1)
         "r1 = 0;"
         "*(u64 *)(r10 - 8) = r1;"
         "*(u64 *)(r10 - 16) = r1;"
         "r2 &= 12;"
         "r1 = r10;"
         "r1 += -16;"
         "r3 = 0;"
         "r4 = 0;"
         "r5 = 0;"
         CALL_CHECKSUM
         "exit;")
