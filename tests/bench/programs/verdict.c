// A light decision on a 64-byte context: what a policy hook would do with every event.
typedef unsigned int u32;
typedef unsigned long long u64;

struct event {
    u64 cookie;
    u32 source;
    u32 destination;
    u32 ports;
    u32 protocol;
    u64 bytes;
    u64 packets;
    u32 flags;
    u32 zone;
    u64 first_ns;
    u64 last_ns;
};

__attribute__((section("bench_event"), used)) int verdict(struct event *event)
{
    if (event->protocol != 6 && event->protocol != 17)
        return 1;
    if (event->flags & 0x4)
        return 2;
    if (event->packets && event->bytes / event->packets > 9000)
        return 3;
    if ((event->source ^ event->destination) == 0 && event->zone != 7)
        return 4;
    return event->last_ns - event->first_ns > 1000000 ? 5 : 0;
}
