"""Letting what is in flight end before something that it uses goes."""

from collections.abc import Callable

from ebpfd.objects import Rundown, TypeProvider
from ebpfd_api.ntstatus import NtStatus


def run_down(
    provider: TypeProvider,
    reason: str,
    *,
    calls: Rundown,
    gone: Callable[[], None],
    complete: Callable[[], None],
) -> int:
    """Close *provider* for *reason*, and do *gone* when no invocation uses it any more.

    SUCCESS if that is so already and *calls* are not in flight either, which programs may make
    that others have led to; else PENDING, and *complete* follows.
    """
    provider.rundown.close()
    provider.reason = reason
    if not provider.rundown.active:
        gone()
        if not calls.active:
            return NtStatus.SUCCESS
        calls.when_idle(complete)
        return NtStatus.PENDING

    def idle() -> None:
        gone()
        calls.when_idle(complete)

    provider.rundown.when_idle(idle)
    return NtStatus.PENDING
