#include "sample.h"

extern int of_no_module(int x) __attribute__((section(".ksyms")));

SEC("sample_ext") int calls_of_no_module(struct sample *ctx)
{
    return of_no_module(1);
}
