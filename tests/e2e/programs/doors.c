// Programs that keep to the rights of a context's fields, and such that do not.
#include "../../../extensions/ebpfd_extensions/sample/programs/ebpf_helpers.h"

typedef struct
{
    uint8_t *data;
    uint8_t *data_end;
    uint32_t answer;
    uint32_t visitor;
    uint32_t key;
} door_t;

static int64_t (*const door_write)(void *into, uint32_t size) = (void *)0x10000;
static int64_t (*const door_key)(void) = (void *)0x10001;

SEC("door")
int writes(door_t *door)
{
    door->answer = door->visitor + 1;
    return 0;
}

SEC("door")
int writes_read_only(door_t *door)
{
    door->visitor = 1;
    return 0;
}

SEC("door")
int reads_hidden(door_t *door)
{
    return door->key;
}

SEC("door")
int asks_for_hidden(door_t *door)
{
    return door_key();
}

SEC("door")
int lets_write(door_t *door)
{
    return door_write(&door->answer, sizeof(door->answer));
}

SEC("door")
int lets_write_read_only(door_t *door)
{
    return door_write(&door->answer, sizeof(door->answer) + sizeof(door->visitor));
}
