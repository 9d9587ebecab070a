// A byte is stored at a variable place that may hold a spilled pointer.
// facts: 1 (stack)
// because: a number from 8 on hits the pointer
// input: packet=8*07 number=13
// fault: INVALID_POINTER
#include "../corpus.h"

ASM_UNSAFE("r6 = r1;"
           LOAD_NUMBER(r7, r6)
           ASM_PACKET(8)
           "*(u64 *)(r10 - 8) = r2;"
           "r1 = 0;"
           "*(u64 *)(r10 - 16) = r1;"
           "r7 &= 15;"
           "r1 = r10;"
           "r1 += -16;"
           "r1 += r7;"
           "r4 = 0x5a;"
           "*(u8 *)(r1 + 0) = r4;"
           "r2 = *(u64 *)(r10 - 8);"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE("r6 = r1;"
         LOAD_NUMBER(r7, r6)
         ASM_PACKET(8)
         "*(u64 *)(r10 - 8) = r2;"
         "r1 = 0;"
         "*(u64 *)(r10 - 16) = r1;"
         "r7 &= 7;"
         "r1 = r10;"
         "r1 += -16;"
         "r1 += r7;"
         "r4 = 0x5a;"
         "*(u8 *)(r1 + 0) = r4;"
         "r2 = *(u64 *)(r10 - 8);"
         "r0 = *(u8 *)(r2 + 0);"
         "exit;"
         ASM_END)
