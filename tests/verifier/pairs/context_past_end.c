// A field behind the context.
// facts: 3 (ctx)
// because: the context ends before it
// input: packet=
// fault: INVALID_POINTER
#include "../corpus.h"

UNSAFE
{
    return *(volatile u32 *)((u8 *)ctx + CONTEXT_SIZE);
}

SAFE
{
    return *(volatile u32 *)((u8 *)ctx + CONTEXT_SIZE - 8);
}
