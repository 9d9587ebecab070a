// A register that a call leaves undefined is used after it.
// facts: 6.83
// because: the callee has used r2 for something else
// input: packet=8*07
// fault: INVALID_POINTER
#include "../corpus.h"

SECTION(".text") NAKED static u32 nothing(void)
{
    asm volatile("r2 = 0; r0 = 0; exit;");
}

ASM_UNSAFE(ASM_PACKET(8)
           "call nothing;"
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(8)
         "r6 = r2;"
         "call nothing;"
         "r0 = *(u8 *)(r6 + 0);"
         "exit;"
         ASM_END)
