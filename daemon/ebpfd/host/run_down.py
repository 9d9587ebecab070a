"""Letting what is in flight end before something that it uses goes."""

from collections.abc import Callable

from ebpfd.objects import TypeProvider
from ebpfd_api.ntstatus import NtStatus


def run_down(
    provider: TypeProvider, reason: str, *, gone: Callable[[], None], complete: Callable[[], None]
) -> int:
    """Close *provider* for *reason*, and do *gone* when no invocation uses it any more.

    SUCCESS if that is so already; else PENDING, and *complete* follows.
    """
    provider.rundown.close()
    provider.reason = reason
    if not provider.rundown.active:
        gone()
        return NtStatus.SUCCESS

    def idle() -> None:
        gone()
        complete()

    provider.rundown.when_idle(idle)
    return NtStatus.PENDING
