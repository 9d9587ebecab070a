#include "../programs/sample.h"

SEC("sample_ext/bad") int bad(struct sample *ctx)
{
    return ((u32 *)ctx)[8];
}

SEC("sample_ext/good") int good(struct sample *ctx)
{
    return ((u32 *)ctx)[7];
}
