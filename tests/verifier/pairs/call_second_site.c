// A function is called twice; what its first caller proved, the second one did not.
// facts: 3 (bpf2bpf), 4
// because: the callee's access is safe for one of two calls
// input: packet=8*07 number=8
// fault: INVALID_POINTER
#include "../corpus.h"

SECTION(".text") NAKED static u32 byte_of(u8 *data, u64 at)
{
    asm volatile("r1 += r2;"
                 "r0 = *(u8 *)(r1 + 0);"
                 "exit;");
}

ASM_UNSAFE("r6 = r1;"
           LOAD_NUMBER(r7, r6)
           ASM_PACKET(8)
           "r8 = r2;"
           "r1 = r8;"
           "r2 = 7;"
           "call byte_of;"
           "r1 = r8;"
           "r2 = r7;"
           "r2 &= 15;"
           "call byte_of;"
           "exit;"
           ASM_END)

ASM_SAFE("r6 = r1;"
         LOAD_NUMBER(r7, r6)
         ASM_PACKET(8)
         "r8 = r2;"
         "r1 = r8;"
         "r2 = 7;"
         "call byte_of;"
         "r1 = r8;"
         "r2 = r7;"
         "r2 &= 7;"
         "call byte_of;"
         "exit;"
         ASM_END)
