// Reads the mark that an event's metadata begins with, beside the first byte of its data, and counts the mark up.
#include "../../../extensions/ebpfd_extensions/sample/programs/ebpf_helpers.h"

typedef struct
{
    uint8_t *data;
    uint8_t *data_end;
    uint8_t *data_meta;
} marked_t;

SEC("marked")
int marks(marked_t *event)
{
    uint8_t *mark = event->data_meta, *data = event->data;
    if (data + 1 > event->data_end)
        return 0;
    if (mark + 1 > data)
        return data[0];
    return mark[0]++ << 8 | data[0];
}
