"""Hooks: where an extension's events meet the programs that users attached.

``invoke`` is a plain function that returns a future: all invocations of one turn of the event
loop travel as one message.  Cancelling one future touches nothing but that future.
"""

import asyncio
from collections.abc import Sequence
from typing import Generic, TypeVar
from uuid import UUID

from ebpfd_api.v1 import hook_pb2
from ebpfd_sdk._answer import Answer, C
from ebpfd_sdk._batch import Columns
from ebpfd_sdk._hook_provider import HookProvider
from ebpfd_sdk._hook_state import HookState, OnFire, OnLink
from ebpfd_sdk._lane import Counters, Lane, check_size
from ebpfd_sdk._links import Link
from ebpfd_sdk._program_type import ProgramType
from ebpfd_sdk._provider import Declaration, Provider
from ebpfd_sdk._stream import InvokeStream

L = TypeVar("L", bound=OnLink)
E = TypeVar("E", bound=OnFire)
T = TypeVar("T")


class Hook(Declaration, Generic[C]):
    """An attach type: its GUID, the type of its programs, and who is attached."""

    def __init__(
        self,
        guid: str | UUID,
        program_type: ProgramType[C],
        *,
        name: str | None = None,
        bpf_attach_type: int = 0,
        link_type: int = 0,
    ) -> None:
        self.guid = guid if isinstance(guid, UUID) else UUID(guid)
        self.name = name or program_type.name
        self.program_type = program_type
        self.bpf_attach_type = bpf_attach_type
        self.link_type = link_type
        self._layout = program_type.context.layout
        self._state = HookState(self.guid, self.name, program_type, bpf_attach_type, link_type)

    def provider(self, stream: InvokeStream) -> Provider:
        """Make the registrar's view of the hook; for the extension, not for authors."""
        return HookProvider(self._state, stream)

    @property
    def links(self) -> tuple[Link, ...]:
        """What is attached now, in the order of its coming."""
        return self._state.table.links

    @property
    def counters(self) -> Counters:
        """What went through this hook so far."""
        return self._state.traffic.counters()

    def on_attach(self, policy: L) -> L:
        """Ask the decorated function whether a link may attach; it raises Refused if not."""
        self._state.attach_policy = policy
        return policy

    def on_detach(self, notice: L) -> L:
        """Tell the decorated function that a link is gone and nothing of it is in flight."""
        self._state.detach_notice = notice
        return notice

    def on_fire(self, policy: E) -> E:
        """Let the decorated function decide what a client's fire does."""
        self._state.fire_policy = policy
        return policy

    def invoke(
        self,
        context: C | bytes | None = None,
        *,
        data: bytes = b"",
        parameter: bytes | None = None,
    ) -> asyncio.Future[Answer[C]]:
        """Run the link of *parameter* on one event; no parameter: the link that came first."""
        if isinstance(context, bytes):
            raw = self._checked(context)
        else:
            raw = self._layout.zeros if context is None else context.pack()
        if len(data) > 65536:
            check_size(len(data) + len(raw))
        lane = self._state.find(parameter)
        if isinstance(lane, Lane):
            return lane.invoke(raw, data)
        code, message = lane
        return _settled(Answer(code, 0, raw, data, message, self.program_type.context))

    def invoke_batch(
        self,
        contexts: bytes = b"",
        *,
        count: int = 1,
        data: bytes = b"",
        data_lengths: Sequence[int] | bytes = b"",
        meta_lengths: Sequence[int] | bytes = b"",
        parameter: bytes | None = None,
    ) -> asyncio.Future[Columns]:
        """Run a batch that is packed already, and answer in columns."""
        check_size(len(contexts) + len(data))
        batch = hook_pb2.Batch(
            count=count,
            contexts=contexts,
            data=data,
            data_lengths=packed(data_lengths),
            meta_lengths=packed(meta_lengths),
        )
        lane = self._state.find(parameter)
        if isinstance(lane, Lane):
            return lane.submit(batch)
        code, message = lane
        return _settled(Columns(code, message))

    async def attached(self) -> Link:
        """Wait until something is attached, and return what came first."""
        while not self.links:
            await self._state.arrival()
        return self.links[0]

    def _checked(self, context: bytes) -> bytes:
        layout = self._layout
        if len(context) != layout.size:
            raise ValueError(f"{layout.owner} takes {layout.size} bytes, not {len(context)}")
        return context


def packed(lengths: Sequence[int] | bytes) -> bytes:
    """Pack lengths as u32, unless they are packed already."""
    if isinstance(lengths, bytes):
        return lengths
    return b"".join(length.to_bytes(4, "little") for length in lengths)


def _settled(value: T) -> asyncio.Future[T]:
    """Answer in the next turn: a caller that loops must let attaches and signals through."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    loop.call_soon(_settle, future, value)
    return future


def _settle(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)
