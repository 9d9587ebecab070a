// The pointer is moved by a number from outside before it is tested.
// facts: 1 (or-null ids)
// because: NULL plus a number is an address that the sender of the number has chosen
// input: number=4096
// fault: INVALID_POINTER
#include "../corpus.h"

struct page {
    u8 bytes[8192];
};
MAP(known, HASH, u32, struct page, 4);

ASM_UNSAFE(ASM_INPUT
           ASM_LOOKUP(known)
           "r7 &= 8191;"
           "r0 += r7;"
           "if r0 == 0 goto 9f;"
           "r0 = *(u8 *)(r0 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_INPUT
         ASM_LOOKUP(known)
         "if r0 == 0 goto 9f;"
         "r7 &= 8191;"
         "r0 += r7;"
         "r0 = *(u8 *)(r0 + 0);"
         "exit;"
         ASM_END)
