// A load that sign-extends gives an index from -128 to 127.
// facts: 2 (load), 6.71
// because: the byte 0x80 is -128
// input: packet=80
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(256);

/* r7 = *(s8 *)(r8 + 0) */
#define LOAD_SIGNED ".8byte 0x00008791;"

ASM_UNSAFE("r6 = r1;"
           ASM_PACKET(1)
           "r8 = r2;"
           LOAD_SIGNED
           ASM_VALUE(values)
           ASM_READ(r7)
           ASM_END)

ASM_SAFE("r6 = r1;"
         ASM_PACKET(1)
         "r8 = r2;"
         LOAD_SIGNED
         ASM_VALUE(values)
         "r7 += 128;"
         ASM_READ(r7)
         ASM_END)
