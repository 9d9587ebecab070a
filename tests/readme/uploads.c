typedef unsigned int u32;
typedef unsigned long long u64;

struct upload {                                   // the context, as the extension declares it
    char *name, *name_end;
    u64 size_bytes;
    u32 user;
};

static u64 (*quota_bytes)(u32 user) = (void *)0x10000;          // the extension's helper

__attribute__((section("upload"), used)) int within_quota(struct upload *upload)
{
    return upload->size_bytes > quota_bytes(upload->user);      // 0 accepts, 1 refuses
}
