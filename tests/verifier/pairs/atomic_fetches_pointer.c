// A compare-and-exchange on a spilled pointer puts it into r0, which is used as a number.
// facts: 2 (atomic), 6.37
// because: r0 holds an address, and it goes to a map
#include "../corpus.h"

MAP(values, ARRAY, u32, u64, 1);

/* r0 = cmpxchg_64(r10 - 16, r0, r1), which this compiler's assembler does not know */
#define COMPARE_EXCHANGE ".8byte 0x000000f1fff01adb;"

ASM_UNSAFE(ASM_VALUE(values)
           "r6 = r0;"
           "*(u64 *)(r10 - 16) = r10;"
           "r0 = 0;"
           "r1 = 0;"
           COMPARE_EXCHANGE
           "*(u64 *)(r6 + 0) = r0;"
           "r0 = 0;"
           "exit;")

ASM_SAFE(ASM_VALUE(values)
         "r6 = r0;"
         "r1 = 5;"
         "*(u64 *)(r10 - 16) = r1;"
         "r0 = 0;"
         "r1 = 0;"
         COMPARE_EXCHANGE
         "*(u64 *)(r6 + 0) = r0;"
         "r0 = 0;"
         "exit;")
