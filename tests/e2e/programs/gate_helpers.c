// Helpers of the gate that come as code: they are linked into programs, and need no extension.
#include "gate.h"

static uint64_t (*const bpf_ktime_get_ns)(void) = (void *)9;

static __attribute__((noinline)) uint64_t mixed(uint64_t hash, uint8_t byte)
{
    return (hash ^ byte) * 0x100000001b3;
}

// FNV-1a over any number of bytes.
uint64_t gate_hash(const uint8_t *from, uint64_t size, uint64_t seed)
{
    uint64_t hash = 0xcbf29ce484222325 ^ seed;
    for (uint64_t i = 0; i < size; i++) {
        hash = mixed(hash, from[i]);
    }
    return hash & 0xffffffff;
}

// How many of the visitors may still come.
uint64_t gate_room(gate_t *gate)
{
    return gate->visitors < gate->most ? gate->most - gate->visitors : 0;
}

// The bytes of a text in capitals, as far as there is room for them.
uint64_t gate_capitals(uint8_t *into, uint64_t room, const uint8_t *from, uint64_t size)
{
    uint64_t i = 0;
    for (; i < size && i < room; i++) {
        into[i] = from[i] >= 'a' && from[i] <= 'z' ? from[i] - 32 : from[i];
    }
    return i;
}

// How long ago something was, by a general helper.
uint64_t gate_age(uint64_t since_ns)
{
    return bpf_ktime_get_ns() - since_ns;
}

// The first of some bytes, if there are any.
uint64_t gate_first(gate_t *gate, const uint8_t *from, uint64_t size)
{
    return gate && from && size ? from[0] : 0;
}

// Two results at once.
uint64_t gate_halves(uint64_t number, uint64_t *high, uint32_t *low)
{
    *high = number >> 32;
    *low = number;
    return 0;
}

// What follows is not safe.

// It does not look how much memory there is.
uint64_t gate_careless(const uint8_t *from, uint64_t size)
{
    return from[7];
}

// It writes what it may only read.
uint64_t gate_scribbles(uint8_t *from, uint64_t size)
{
    from[0] = 1;
    return size;
}

// It reads behind the context.
uint64_t gate_far(gate_t *gate)
{
    return (&gate->most)[1];
}

// It believes that a pointer is there.
uint64_t gate_trusting(const uint8_t *from, uint64_t size)
{
    return from[0] + size;
}

// It goes on for as long as its argument likes.
uint64_t gate_endless(uint64_t number)
{
    uint64_t rounds = 0;
    for (; number != 1; rounds++) {
        number = number & 1 ? 3 * number + 1 : number >> 1;
    }
    return rounds;
}

// It gives a pointer away.
uint64_t gate_leaks(gate_t *gate)
{
    return (uint64_t)gate;
}

// It calls a helper that the type has for itself.
uint64_t gate_calls_own(void)
{
    return ((uint64_t(*)(void))0x10003)();
}
