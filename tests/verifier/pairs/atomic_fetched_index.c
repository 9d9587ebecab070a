// What an atomic operation fetches is used as an index.
// facts: 6.37
// because: the slot's contents come back, not the operand
// input: number=4096
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

/* r1 = atomic_fetch_add((u64 *)(r10 - 16), r1), which this compiler's assembler does not know */
#define FETCH_ADD ".8byte 0x00000001fff01adb;"

ASM_UNSAFE(ASM_INPUT
           ASM_VALUE(values)
           "*(u64 *)(r10 - 16) = r7;"
           "r1 = 1;"
           FETCH_ADD
           ASM_READ(r1))

ASM_SAFE(ASM_INPUT
         ASM_VALUE(values)
         "*(u64 *)(r10 - 16) = r7;"
         "r1 = 1;"
         FETCH_ADD
         "r1 &= 63;"
         ASM_READ(r1))
