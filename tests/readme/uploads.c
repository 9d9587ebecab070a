#include "upload.h"           // ebpfctl contract export upload -f c --to upload.h

SEC(SECTION_UPLOAD) int within_quota(upload_context_t *upload)
{
    return upload->size_bytes > (uint64_t)quota_bytes(upload->user);    // 0 accepts, 1 refuses
}
