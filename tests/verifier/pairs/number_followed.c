// A number is used as an address.
// facts: 9
// because: it is no pointer
// input: number=4096
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE(LOAD_NUMBER(r2, r1)
           "r0 = *(u8 *)(r2 + 0);"
           "exit;")

ASM_SAFE(LOAD_NUMBER(r2, r1)
         "r2 &= 7;"
         ASM_PACKET(8)
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
