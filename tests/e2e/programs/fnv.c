// The loop over packet bytes that only ebpfd's own judge accepts.
#define VMB_SAMPLE
#include "../../bench/programs/vm/fnv_1500.c"
