// Parses the first 64 bytes of an Ethernet frame, which are the context: 1 = drop, 2 = pass.
// `heavy` reads them as often as it takes to be a long program.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define BE16(x) ((u16)(((x) >> 8) | ((x) << 8)))
#define SECTION __attribute__((section("bench_event"), used))

struct frame {
    u8 addresses[12];
    u16 type;
    u8 bytes[50];
};

static inline __attribute__((always_inline)) int udp(const u8 *ip)
{
    if (ip[0] != 0x45)
        return 2;
    if (*(u16 *)(ip + 6) & BE16(0x1fff))
        return 2;
    if (ip[9] != 17)
        return 2;
    return *(u16 *)(ip + 22) == BE16(4789) ? 1 : 2;
}

SECTION int packet(struct frame *frame)
{
    if (frame->type == BE16(0x0800))
        return udp(frame->bytes);
    if (frame->type == BE16(0x8100) && *(u16 *)(frame->bytes + 2) == BE16(0x0800))
        return udp(frame->bytes + 4);
    return 2;
}

SECTION int heavy(struct frame *frame)
{
    volatile u32 seen = 0;
    for (u32 round = 0; round < 2000; round++)
        seen += frame->bytes[9] ^ round;
    return seen ? packet(frame) : 2;
}
