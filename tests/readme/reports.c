struct {
    int (*type)[13];                                  // a ring buffer
    int (*max_entries)[4096];                         // its bytes: a power of two
} reports __attribute__((section(".maps"), used));

static long (*ringbuf_output)(void *map, void *data, unsigned long size, long flags) = (void *)11;

__attribute__((section("upload"), used)) int report(void *upload)
{
    char said[8] = "uploaded";
    return ringbuf_output(&reports, said, sizeof(said), 0);
}
