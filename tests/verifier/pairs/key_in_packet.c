// A key of four bytes is taken from a packet that may have three.
// facts: 3 (helper arguments)
// because: the lookup reads the fourth one
// input: packet=3*00
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_PACKET(3)
           "r1 = values ll;"
           CALL_LOOKUP
           "r0 = 0;"
           "exit;"
           ASM_END)

ASM_SAFE(ASM_PACKET(4)
         "r1 = values ll;"
         CALL_LOOKUP
         "r0 = 0;"
         "exit;"
         ASM_END)
