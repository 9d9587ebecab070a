#include "../../../extensions/ebpfd_extensions/sample/programs/ebpf_helpers.h"

typedef struct
{
    uint8_t *data;
    uint8_t *data_end;
    uint32_t visitors;
    uint32_t most;
} gate_t;
