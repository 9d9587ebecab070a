// Programs that call the helpers of the gate.
#include "gate.h"

static int64_t (*const gate_hash)(const void *from, uint32_t size, uint64_t seed) = (void *)0x10000;
static int64_t (*const gate_room)(gate_t *gate) = (void *)0x10001;
static int64_t (*const gate_capitals)(void *into, uint32_t room, const void *from,
                                      uint32_t size) = (void *)0x10002;
static int64_t (*const gate_calls)(void) = (void *)0x10003;

SEC("gate")
int hashes(gate_t *gate)
{
    uint8_t *data = gate->data;
    if (data + 12 > gate->data_end) {
        return gate_hash("short", 5, gate->most);
    }
    return gate_hash(data, 12, gate->most);
}

SEC("gate")
int has_room(gate_t *gate)
{
    return gate_room(gate);
}

SEC("gate")
int shouts(gate_t *gate)
{
    char text[8] = {};
    int64_t length = gate_capitals(text, sizeof(text), "loud one", 8);
    return text[0] << 16 | text[7] << 8 | (uint8_t)length;
}

// How many calls have reached the extension.
SEC("gate")
int calls(gate_t *gate)
{
    return gate_calls();
}

// One that passes a number for the context.
SEC("gate")
int passes_number(gate_t *gate)
{
    return gate_room((gate_t *)8);
}
