// Lets every connection through: it calls no helper, and its context has no data.
#include "../../../extensions/ebpfd_extensions/contracts/include/sock_addr.h"

SEC(SECTION_CGROUP_CONNECT4)
int plain(bpf_sock_addr_t *context)
{
    return context->family == 23 ? BPF_SOCK_ADDR_VERDICT_PROCEED_HARD
                                 : BPF_SOCK_ADDR_VERDICT_PROCEED_SOFT;
}
