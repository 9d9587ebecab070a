// Constants that add up to 2^32: a sum in 32 bits is 0.
// facts: 6.5
// because: the address lies 4 GiB behind the value
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

VALUES(64);

ASM_UNSAFE(ASM_VALUE(values)
           "r0 += 0x7fffffff;"
           "r0 += 0x7fffffff;"
           "r0 += 2;"
           "r0 = *(u8 *)(r0 + 0);"
           "exit;")

ASM_SAFE(ASM_VALUE(values)
         "r0 += 63;"
         "r0 += -62;"
         "r0 = *(u8 *)(r0 + 0);"
         "exit;")
