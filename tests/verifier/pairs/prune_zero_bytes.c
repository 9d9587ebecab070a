// A slot holds zeros on one path and bytes of the packet on the other.
// facts: 4 (misc covers zero, not the reverse)
// because: bytes are no zeros
// input: packet=ff000000,4*00
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "r1 = 0;"
           "*(u64 *)(r10 - 16) = r1;"
           "if r8 == 0 goto 1f;"
           "*(u8 *)(r10 - 16) = r8;"
           "1: r1 = *(u64 *)(r10 - 16);"
           ASM_READ(r1))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "r1 = 0;"
         "*(u64 *)(r10 - 16) = r1;"
         "if r8 == 0 goto 1f;"
         "r8 &= 63;"
         "*(u8 *)(r10 - 16) = r8;"
         "1: r1 = *(u64 *)(r10 - 16);"
         "r1 &= 63;"
         ASM_READ(r1))
