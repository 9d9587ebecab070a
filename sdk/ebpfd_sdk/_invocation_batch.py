"""``batch_begin``, ``batch_invoke``, ``batch_end``: invocations that run together.

What each comes to is what it would come to alone.  All that reach the same links travel as one
message, which the daemon runs without letting anything else in between.
"""

import asyncio
from collections.abc import Callable, Generator, Sequence
from types import TracebackType
from typing import Any, Final, Generic, NamedTuple, Self

from ebpfd_api.result import Result
from ebpfd_sdk._answer import Answer, C
from ebpfd_sdk._attachments import Filter
from ebpfd_sdk._batch import Gathered
from ebpfd_sdk._errors import EbpfdError
from ebpfd_sdk._event_bytes import check_data, event_bytes
from ebpfd_sdk._hook_state import HookState
from ebpfd_sdk._lane import Lane, check_size
from ebpfd_sdk._origin import Origin

STATE_SIZE: Final = 64
"""Bytes of ``ebpf_execution_context_state_t``."""


class _Event(NamedTuple, Generic[C]):
    """An invocation that waits for the end of its batch."""

    context: bytes
    data: bytes
    meta_length: int
    parameter: bytes | None
    only: Filter | None
    answer: asyncio.Future[Answer[C]]


class _Later(asyncio.Future[Answer[C]]):
    """An answer that its own block would wait for in vain until that block is left."""

    def __init__(self, batch: "InvocationBatch[C]") -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._of = batch

    def __await__(self) -> Generator[Any, None, Answer[C]]:
        if not self.done() and self._of.within:
            problem = (
                "awaited before the batch has ended: leave its block first, or await batch.end()"
            )
            raise EbpfdError(Result.INVALID_ARGUMENT, problem)
        return super().__await__()


class InvocationBatch(Generic[C]):
    """A batch that was begun: ``async with hook.batch_begin() as batch``.

    What ``invoke`` returns is to be awaited when the batch has ended.
    """

    def __init__(
        self,
        state: HookState[C],
        pack: Callable[[C | bytes | None], bytes],
        origin: Origin | None = None,
    ) -> None:
        self._state = state
        self._pack = pack
        self._origin = origin
        self._events: list[_Event[C]] = []
        self._size_bytes = 0
        self._ended = False
        self._block: asyncio.Task[Any] | None = None

    @property
    def within(self) -> bool:
        """Whether whoever asks is in the block that ends it."""
        return not self._ended and self._block is not None and self._block is asyncio.current_task()

    async def __aenter__(self) -> Self:
        self._block = asyncio.current_task()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            await self.end()
        else:
            self._ended = True
            self._forget(self._events)

    def invoke(
        self,
        context: C | bytes | None = None,
        *,
        data: bytes = b"",
        meta_length: int = 0,
        parameter: bytes | None = None,
        only: Filter | None = None,
    ) -> asyncio.Future[Answer[C]]:
        """Add one event, as ``Hook.invoke`` takes it; its answer comes with the batch's end."""
        if self._ended:
            raise EbpfdError(Result.INVALID_ARGUMENT, "the batch has ended: begin another one")
        raw = self._pack(context)
        data, parameter = event_bytes(data, parameter)
        if data or meta_length:
            check_data(self._state.program_type.context.layout, data, meta_length)
        size_bytes = self._size_bytes + len(raw) + len(data)
        check_size(size_bytes)
        self._size_bytes = size_bytes
        answer: asyncio.Future[Answer[C]] = _Later(self)
        self._events.append(_Event(raw, data, meta_length, parameter, only, answer))
        return answer

    async def end(self) -> None:
        """Run what was added, and return when all of it is answered; twice is once."""
        self._ended = True
        events, self._events = self._events, []
        messages: dict[Lane[C], Gathered[C]] = {}
        try:
            # Only now: links may have come and gone since the events were added.
            found = [self._state.find(event.parameter, event.only) for event in events]
        except BaseException:  # of an author's filter
            self._forget(events)
            raise
        for event, lane in zip(events, found, strict=True):
            if isinstance(lane, Lane):
                if lane not in messages:
                    messages[lane] = lane.message(self._origin)
                messages[lane].add(event.context, event.data, event.answer)
                if event.meta_length:
                    messages[lane].note_meta(event.meta_length)
            elif not event.answer.done():
                event.answer.set_result(self._state.unanswered(lane, event.context, event.data))
        for lane, message in messages.items():
            lane.queue(message)
        if events:
            await asyncio.wait([event.answer for event in events])

    def _forget(self, events: Sequence[_Event[C]]) -> None:
        """The author's block failed: nothing of it runs."""
        for event in events:
            event.answer.cancel()
