// A register that a helper's call leaves undefined is used after it.
// facts: 3 (after a call)
// because: r2 has no value there
#include "../corpus.h"

ASM_UNSAFE(ASM_PACKET(8)
           CALL_RANDOM
           "r0 = *(u8 *)(r2 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(8)
         "r6 = r2;"
         CALL_RANDOM
         "r0 = *(u8 *)(r6 + 0);"
         "exit;"
         ASM_END)
