#include "sample.h"

extern int nowhere(int x);

SEC("sample_ext") int calls_nowhere(struct sample *ctx)
{
    return nowhere(1);
}
