"""Modules for the host's tests: an extension whose every answer the test decides."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from ebpfd import nmr
from ebpfd.host.modules import (
    AttachAnswer,
    BatchOutcome,
    FireCall,
    HelperCall,
    HelperOutcome,
    ModuleGoneError,
)
from ebpfd_api.ntstatus import NtStatus

_Answer = TypeVar("_Answer")

ACCEPTED: Final = AttachAnswer(NtStatus.SUCCESS, context=b"fake")


class FakeExtension:
    """An extension in this process.

    ``journal`` records callbacks in order.  A callback named in ``gates`` waits for its event, and
    its name is put into ``reached`` when it begins to.
    """

    def __init__(self, name: str = "fake") -> None:
        self._name = name
        self.journal: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.reached: asyncio.Queue[str] = asyncio.Queue()
        self.attached: list[nmr.BindingHandle] = []
        self.answer = ACCEPTED
        self.detach_status: int = NtStatus.SUCCESS
        self.failures: set[str] = set()
        self.gone = asyncio.Event()
        self.helper: Callable[[HelperCall], Awaitable[HelperOutcome]] = _add_five
        self.fired: Callable[[FireCall], Awaitable[BatchOutcome]] = _fire_nothing

    @property
    def name(self) -> str:
        """What the test calls it."""
        return self._name

    def hold(self, callback: str) -> asyncio.Event:
        """Let *callback* wait until the returned event is set."""
        return self.gates.setdefault(callback, asyncio.Event())

    def hold_helper(self, result: int = 0) -> asyncio.Event:
        """Let helpers wait until the returned event is set; then they give *result*."""
        go = asyncio.Event()

        async def wait(_: HelperCall) -> HelperOutcome:
            await go.wait()
            return HelperOutcome(result)

        self.helper = wait
        return go

    async def client_attach_provider(self, call: nmr.ClientAttachProvider) -> int:
        """Decline: it is a provider."""
        return NtStatus.NOINTERFACE

    async def provider_attach_client(self, call: nmr.ProviderAttachClient) -> AttachAnswer:
        """Answer as ``answer`` says."""
        await self._called("attach", call.binding)
        if self.answer.status == NtStatus.SUCCESS:
            self.attached.append(call.binding)
        return self.answer

    async def detach(self, binding: nmr.BindingHandle, role: nmr.Role) -> int:
        """Return ``detach_status``."""
        await self._called("detach", binding)
        return self.detach_status

    async def cleanup(self, binding: nmr.BindingHandle, role: nmr.Role) -> None:
        """Forget the binding."""
        await self._called("cleanup", binding)
        self.attached.remove(binding)

    async def fire(
        self, call: FireCall, deadline_s: float, handed: Callable[[], None]
    ) -> BatchOutcome:
        """Answer as ``fired`` does."""
        handed()
        async with asyncio.timeout(deadline_s):
            return await self._or_gone(self.fired(call))

    async def call_helper(self, call: HelperCall, deadline_s: float) -> HelperOutcome:
        """Answer as ``helper`` does; it fails at once when the extension is lost."""
        self.journal.append(f"helper {call.helper_id:#x}")
        self.reached.put_nowait("helper")
        async with asyncio.timeout(deadline_s):
            return await self._or_gone(self.helper(call))

    def lose(self) -> None:
        """The process vanishes: calls in flight fail."""
        self.gone.set()

    async def _or_gone(self, work: Awaitable[_Answer]) -> _Answer:
        answer = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self.gone.wait())
        try:
            await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            raise ModuleGoneError
        finally:
            answer.cancel()
            gone.cancel()

    async def _called(self, callback: str, binding: nmr.BindingHandle) -> None:
        self.journal.append(f"{callback} {binding}")
        if gate := self.gates.get(callback):
            self.reached.put_nowait(callback)
            await gate.wait()
        if callback in self.failures:
            raise RuntimeError(callback)


async def _add_five(call: HelperCall) -> HelperOutcome:
    (argument,) = call.arguments
    assert isinstance(argument, int)
    return HelperOutcome(argument + 5)


async def _fire_nothing(call: FireCall) -> BatchOutcome:
    return BatchOutcome(codes=b"\0", results=bytes(4))
