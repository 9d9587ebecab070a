"""The registrar's view of a hook; each link is a client."""

import inspect
from collections.abc import Awaitable
from typing import Generic

from ebpfd_api.npi import HOOK
from ebpfd_api.result import Result
from ebpfd_api.v1 import contract_pb2, hook_pb2, registrar_pb2
from ebpfd_sdk._answer import C
from ebpfd_sdk._batch import Columns
from ebpfd_sdk._fire import FireEvent, event_of, fire_return
from ebpfd_sdk._hook_state import HookState
from ebpfd_sdk._lane import Lane
from ebpfd_sdk._links import LinkTable, link_of
from ebpfd_sdk._provider import Provider
from ebpfd_sdk._stream import InvokeStream


class HookProvider(Provider, Generic[C]):
    """Attaches and detaches links, and answers clients' fires."""

    def __init__(self, hook: HookState[C], stream: InvokeStream) -> None:
        self.guid = hook.guid
        self.label = f"hook {hook.name}"
        self._hook = hook
        self._stream = stream
        self._detaching: set[Lane[C]] = set()

    def open(self) -> None:
        """Let invocations through, with no link of an earlier connection."""
        self._hook.table = LinkTable()
        self._hook.closed = ""

    def close(self, reason: str) -> None:
        """Answer every further invocation with CANCELED."""
        self._hook.closed = reason

    async def drained(self) -> None:
        """Wait until every invocation that was started is answered."""
        for lane in {*self._hook.table.lanes(), *self._detaching}:
            await lane.drained()

    def instance(self) -> registrar_pb2.RegistrationInstance:
        """Offer the hook under its attach type's GUID."""
        hook = self._hook
        return registrar_pb2.RegistrationInstance(
            npi_id=HOOK.bytes,
            module_id=registrar_pb2.ModuleId(guid=hook.guid.bytes),
            characteristics=registrar_pb2.Characteristics(
                attach_provider_data=contract_pb2.AttachProviderData(
                    supported_program_type=hook.program_type.guid.bytes,
                    bpf_attach_type=hook.bpf_attach_type,
                    link_type=hook.link_type,
                    name=hook.name,
                )
            ),
        )

    async def attach(self, callback: registrar_pb2.AttachCallback) -> registrar_pb2.BindingSide:
        """Take a link, if neither the table nor the extension has something against it."""
        hook, link = self._hook, link_of(callback)
        hook.table.check(link)
        if hook.attach_policy is not None:
            await _maybe_await(hook.attach_policy(link))
            hook.table.check(link)  # another may have come meanwhile
        lane = Lane(link.binding, hook.program_type.context, hook.traffic, wake=self._stream.wake)
        hook.table.add(link, lane)
        hook.note_arrival()
        return registrar_pb2.BindingSide(binding_context=link.binding.to_bytes(8, "little"))

    async def detach(self, binding: int) -> None:
        """Let go of a link once nothing of it is in flight."""
        removed = self._hook.table.remove(binding)
        if removed is None:
            return
        link, lane = removed
        self._detaching.add(lane)
        try:
            await lane.drained()
        finally:
            self._detaching.discard(lane)
        if self._hook.detach_notice is not None:
            await _maybe_await(self._hook.detach_notice(link))

    async def answer(self, fire: hook_pb2.Fire) -> hook_pb2.FireReturn:
        """Run a client's fire, the extension's own way if it has one."""
        policy = self._hook.fire_policy or self._run
        try:
            columns = await policy(event_of(fire))
        except Exception as error:  # noqa: BLE001 (the extension's own code may raise anything)
            columns = Columns(Result.FAILED, f"{self.label}: {type(error).__name__}: {error}")
        return fire_return(fire.fire_id, columns)

    async def _run(self, event: FireEvent) -> Columns:
        lane = self._hook.find(event.parameter)
        if isinstance(lane, Lane):
            return await lane.submit(event.batch())
        code, message = lane
        return Columns(code, message)


async def _maybe_await(outcome: Awaitable[None] | None) -> None:
    if inspect.isawaitable(outcome):
        await outcome
