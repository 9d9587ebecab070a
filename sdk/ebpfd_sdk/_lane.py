"""Lanes: the invocations of one target, in order, a bounded number of messages in flight."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from ebpfd_api.result import Result
from ebpfd_sdk._answer import Answer, C
from ebpfd_sdk._batch import LARGEST_BYTES, Columns, Gathered, Packed, Pending
from ebpfd_sdk._bulk import Bulk
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._local import LocalProgram
from ebpfd_sdk._origin import Origin
from ebpfd_sdk._policy import Fallback
from ebpfd_sdk._request import Target
from ebpfd_sdk._traffic import Traffic

T = TypeVar("T")

WINDOW: Final = 8
"""Messages in flight for each target; more gains nothing, and the daemon bounds it too."""


LONG_BYTES: Final = 16 << 10
"""A message of this size is long: it goes where it keeps no short ones waiting."""


BESIDE_SHORT_BYTES: Final = 64 << 10
"""Of long messages, what each target may have in flight beside short ones: what both sides do for
those ahead of it, a short one waits for."""


class Lane(Generic[C]):
    """Queue and window of one target, on one of the *streams* for as long as it has work.

    What the daemon did not answer has what *fallback* says.
    """

    def __init__(
        self,
        target: Target,
        type_: type[C],
        fallback: Fallback,
        traffic: Traffic,
        streams: DataStreams,
    ) -> None:
        self._target = target
        self.local: LocalProgram[C] | None = None
        """Runs what is invoked here, as long as the daemon lets it."""

        self._moving: tuple[LocalProgram[C], asyncio.Future[None]] | None = None
        self.listed = False
        """Whether the stream knows that there is work here."""

        self._type = type_
        self.fallback = fallback
        self._traffic = traffic
        self._streams = streams
        self._long = False
        """Whether it is on the stream for long messages."""

        self._last_size = 0
        self._loop = asyncio.get_running_loop()
        self._open: Gathered[C] | None = None
        self._queue: deque[Pending] = deque()
        self._in_flight = self._in_flight_bytes = 0
        self._stream = streams.short
        self._idle: asyncio.Event | None = None
        """Somebody waits until nothing is here any more."""

    def invoke(
        self, context: bytes, data: bytes, origin: Origin | None = None, meta_length: int = 0
    ) -> asyncio.Future[Answer[C]]:
        """Add one invocation to the message of this turn, which has one origin."""
        batch = self._open
        if batch is None or batch.full or batch.origin != origin:
            batch = self._open = Gathered(self._type, self.fallback, origin)
            self._append(batch)
        future: asyncio.Future[Answer[C]] = self._loop.create_future()
        batch.add(context, data, future)
        if meta_length:
            batch.note_meta(meta_length)
        return future

    def invoke_within(
        self,
        deadline_s: float,
        context: bytes,
        data: bytes,
        origin: Origin | None = None,
        meta_length: int = 0,
    ) -> asyncio.Future[Answer[C]]:
        """Add one invocation whose answer is TIMEOUT if none has come by then."""
        answer = self.invoke(context, data, origin, meta_length)
        assert self._open is not None, "it is in there"
        self._open.limit(self._loop.time() + deadline_s)
        return self._within(deadline_s, answer, lambda: self.late(deadline_s, context, data))

    def late(self, deadline_s: float, context: bytes, data: bytes) -> Answer[C]:
        """Make the answer to an event that has none in *deadline_s*."""
        result = self.fallback.result(Result.TIMEOUT)
        message = _late(deadline_s)
        return Answer(Result.TIMEOUT, result, context, data, message, self._type)

    def late_batch(self, deadline_s: float) -> Columns:
        """Make the answer to a batch that has none in *deadline_s*."""
        result = self.fallback.result(Result.TIMEOUT)
        return Columns(Result.TIMEOUT, _late(deadline_s), failure_result=result)

    def run_here(
        self, context: bytes, data: bytes, origin: Origin | None = None, meta_length: int = 0
    ) -> Answer[C] | None:
        """Run one event in this process at once; None: the daemon must."""
        if self.local is None:
            return None
        answer = self.local.invoke(context, data, self.fallback, origin, meta_length)
        if answer is None:
            self.local = None
        return answer

    def run_batch_here(self, batch: Packed) -> Columns | None:
        """Run a batch in this process; None: the daemon must."""
        if self.local is None:
            return None
        count, size = batch.count or 1, self._type.layout.size
        contexts, data = bytes(batch.contexts) or bytes(count * size), bytes(batch.data)
        columns = self.local.run(
            contexts,
            count,
            data,
            batch.data_lengths,
            batch.meta_lengths,
            self.fallback,
            batch.origin,
        )
        if columns is None:
            self.local = None
        return columns

    def message(self, origin: Origin | None = None) -> Gathered[C]:
        """Make a message to gather invocations of one origin in, and to ``queue``."""
        return Gathered(self._type, self.fallback, origin)

    def submit(self, batch: Packed, deadline_s: float | None = None) -> asyncio.Future[Columns]:
        """Queue a batch that its caller packed; its answer is TIMEOUT if none has come by then."""
        future: asyncio.Future[Columns] = self._loop.create_future()
        if deadline_s is None:
            self.queue(Bulk(batch, future, self.fallback))
            return future
        self.queue(Bulk(batch, future, self.fallback, self._loop.time() + deadline_s))
        return self._within(deadline_s, future, lambda: self.late_batch(deadline_s))

    def queue(self, pending: Pending) -> None:
        """Queue a message of its own: what is invoked later runs later."""
        if self.local is None or not self._ran_here(pending):
            self._append(pending)
            self._open = None

    async def move_to(self, local: LocalProgram[C]) -> None:
        """Let *local* run what is not on its way yet, once what is has been answered."""
        moved: asyncio.Future[None] = self._loop.create_future()
        self._moving = local, moved
        self._move()
        await moved

    @property
    def sendable(self) -> bool:
        """Whether a message waits and the window has room for it."""
        if not self._queue or self._in_flight >= WINDOW or self._moving is not None:
            return False
        if not self._long or not self._in_flight:
            return True
        there = self._in_flight_bytes + self._queue[0].size_bytes
        return there <= BESIDE_SHORT_BYTES or not self._streams.shorts_lately

    def take(self, sequence: int) -> tuple[Pending, bytes] | None:
        """Take the next message that somebody still wants."""
        while self.sendable:
            pending = self._queue.popleft()
            if pending is self._open:
                self._open = None
            try:
                request = pending.request(sequence, self._target)
            except (TypeError, ValueError) as error:  # one caller's data must not end the stream
                pending.settle(Columns(Result.INVALID_ARGUMENT, f"no message can hold it: {error}"))
                continue
            if request is not None:
                self._last_size = pending.size_bytes
                self._in_flight += 1
                self._in_flight_bytes += pending.size_bytes
                self._traffic.sent += 1
                self._traffic.invocations += pending.count
                return pending, request
        self._note_idle()
        return None

    def settle(self, pending: Pending, columns: Columns, result: int | None = None) -> None:
        """Take the reply to a message out of flight; *result* is the daemon's for a failed one."""
        self._in_flight -= 1
        self._in_flight_bytes -= pending.size_bytes
        self._traffic.received += 1
        pending.settle(columns, result)
        self._move()
        if self._queue:
            self._stream.wake(self)
        self._note_idle()

    def lose(self, reason: str) -> None:
        """Answer what waits, because the stream is gone."""
        columns = Columns(Result.CANCELED, reason)
        while self._queue:
            self._queue.popleft().settle(columns)
        self._open = None
        self._in_flight = self._in_flight_bytes = 0
        self._move()
        self._note_idle()

    async def drained(self) -> None:
        """Wait until every invocation started here is answered."""
        if self._queue or self._in_flight:
            if self._idle is None:
                self._idle = asyncio.Event()
            await self._idle.wait()

    def _within(
        self, deadline_s: float, future: asyncio.Future[T], late: Callable[[], T]
    ) -> asyncio.Future[T]:
        def expire() -> None:
            if not future.done():
                future.set_result(late())

        timer = self._loop.call_later(deadline_s, expire)
        future.add_done_callback(lambda _: timer.cancel())
        return future

    def _append(self, pending: Pending) -> None:
        if not self._queue and not self._in_flight:  # else it could overtake what is on its way
            self._long = (pending.size_bytes or self._last_size) >= LONG_BYTES
            self._stream = self._streams.long if self._long else self._streams.short
        self._queue.append(pending)
        self._stream.wake(self)

    def _ran_here(self, pending: Pending) -> bool:
        batch = pending.packed()
        if batch is None:
            return True
        columns = self.run_batch_here(batch)
        if columns is not None:
            pending.settle(columns, columns.failure_result)
        return columns is not None

    def _move(self) -> None:
        if self._moving is None or self._in_flight:
            return
        (self.local, moved), self._moving = self._moving, None
        while self._queue and self._ran_here(self._queue[0]):
            self._queue.popleft()
        if not self._queue:
            self._open = None
        if not moved.done():
            moved.set_result(None)
        if self._queue:
            self._stream.wake(self)
        self._note_idle()

    def _note_idle(self) -> None:
        if self._idle is not None and not self._queue and not self._in_flight:
            self._idle.set()
            self._idle = None


def _late(deadline_s: float) -> str:
    return f"no answer came in {deadline_s:g} s"


def check_size(size_bytes: int) -> None:
    """Refuse what no message can carry, before it costs the stream."""
    if size_bytes > LARGEST_BYTES:
        raise ValueError(
            f"{size_bytes} bytes do not fit one message of {LARGEST_BYTES}: use smaller batches"
        )
