// Two lookups; the first result is tested, the second one is used.
// facts: 1 (or-null ids)
// because: each lookup may fail by itself
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);
MAP(known, HASH, u32, u64, 4);

ASM_UNSAFE(ASM_LOOKUP(values)
           "r6 = r0;"
           ASM_LOOKUP(known)
           "if r6 == 0 goto 9f;"
           "r0 = *(u32 *)(r0 + 0);"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_LOOKUP(values)
         "r6 = r0;"
         ASM_LOOKUP(known)
         "if r6 == 0 goto 9f;"
         "r0 = *(u32 *)(r6 + 0);"
         "exit;"
         ASM_END)
