// A function that was called makes a tail call.
// facts: 6.50, 3 (tail call)
// because: a rule of the model: the caller would never resume, though its code says so
#include "../corpus.h"

MAP(programs, PROG_ARRAY, u32, u32, 4);

SECTION(".text") NAKED static u32 leave(context *ctx)
{
    asm volatile("r2 = programs ll;"
                 "r3 = 0;"
                 CALL_TAIL
                 "r0 = 0;"
                 "exit;");
}

SECTION(".text") NAKED static u32 stay(context *ctx)
{
    asm volatile("r0 = 0;"
                 "exit;");
}

ASM_UNSAFE("call leave;"
           "r0 = 1;"
           "exit;")

ASM_SAFE("r6 = r1;"
         "call stay;"
         "r1 = r6;"
         "r2 = programs ll;"
         "r3 = 0;"
         CALL_TAIL
         "r0 = 1;"
         "exit;")
