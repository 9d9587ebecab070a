"""Invocations on their way as one message.  This is the hot path: measured, not pretty.

``Gathered`` holds the single invocations of one turn of the event loop; it turns into one request
and is settled by one reply.
"""

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, Protocol

from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2
from ebpfd_sdk._answer import RESULTS, Answer, C, result_of
from ebpfd_sdk._deadline import left_ms
from ebpfd_sdk._origin import Origin
from ebpfd_sdk._policy import Fallback
from ebpfd_sdk._request import Target, joined_request

MOST_CONTEXTS: Final = 1024
"""Contexts in one gathered message: beyond, a longer message is not faster, only later."""

FULL_BYTES: Final = 1 << 20
"""A gathered message that reaches this size takes no further invocation."""

LARGEST_BYTES: Final = 3 << 20
"""No message may be larger: gRPC's ordinary limit is 4 MiB, and hitting it ends the stream."""

TRACED: Final = "the run failed: ebpfctl trace says why"
"""Of an event that failed alone: columns have no room for reasons."""


class Columns(NamedTuple):
    """A batch's outcome in columns, numbers packed little-endian."""

    code: Result
    """Of the whole batch; not SUCCESS: nothing ran, and the columns are empty."""

    message: str = ""
    codes: bytes = b""
    """One result code for each context, a byte each."""

    results: bytes = b""
    """u32 for each context."""

    contexts: bytes = b""
    """All contexts as the programs left them; empty: none changed."""

    data: bytes = b""
    """The same of the data."""

    failure_result: int = 0
    """What to do with every event, if ``code`` is an error."""

    @property
    def numbers(self) -> memoryview:
        """``results`` as integers, without a copy: to index, or for ``numpy.asarray``."""
        return memoryview(self.results).cast("I")


@dataclass(slots=True)  # a frozen one takes three times as long to make
class Packed:
    """The columns of a batch that is to run."""

    count: int
    contexts: bytes | memoryview
    data: bytes | memoryview
    data_lengths: bytes
    meta_lengths: bytes
    origin: Origin | None = None


class Pending(Protocol):
    """Something that becomes one message."""

    @property
    def count(self) -> int:
        """How many invocations it holds."""
        ...

    @property
    def size_bytes(self) -> int:
        """What its columns take so far."""
        ...

    def request(self, sequence: int, target: Target) -> bytes | None:
        """Build the message; None: nobody waits for it any more."""
        ...

    def packed(self) -> Packed | None:
        """Build what runs in this process; None: nobody waits for it any more."""
        ...

    def settle(self, columns: Columns, result: int | None = None) -> None:
        """Hand the outcome to whoever waits.

        *result* is for every event of a message that failed as a whole; None: the daemon has not
        said which.
        """
        ...


class Gathered(Generic[C]):
    """Single invocations of one target and one origin, in the order of their calls.

    If the message fails as a whole, each has what the daemon says, or else *fallback*.
    """

    __slots__ = (
        "contexts",
        "data",
        "due",
        "fallback",
        "futures",
        "limited",
        "metas",
        "origin",
        "size_bytes",
        "type_",
    )

    def __init__(
        self, type_: type[C] | None, fallback: Fallback, origin: Origin | None = None
    ) -> None:
        self.type_ = type_
        self.fallback = fallback
        self.origin = origin
        self.futures: list[asyncio.Future[Answer[C]]] = []
        self.contexts: list[bytes] = []
        self.data: list[bytes] = []
        self.size_bytes = 0
        self.limited = 0
        """Those with a deadline, of which ``due`` is the latest."""

        self.due = 0.0
        self.metas: dict[asyncio.Future[Answer[C]], int] | None = None
        """How much of the data is metadata, of those that have any; None: nobody has."""

    @property
    def count(self) -> int:
        """How many invocations it holds."""
        return len(self.futures)

    def add(self, context: bytes, data: bytes, future: asyncio.Future[Answer[C]]) -> None:
        """Add one invocation."""
        self.futures.append(future)
        self.contexts.append(context)
        self.data.append(data)
        self.size_bytes += len(context) + len(data)

    def limit(self, due: float) -> None:
        """Say that nobody wants the invocation that was added last after *due*."""
        self.limited += 1
        self.due = max(self.due, due)

    def note_meta(self, meta_length: int) -> None:
        """Say how much of the data of the invocation that was added last is metadata."""
        if self.metas is None:
            self.metas = {}
        self.metas[self.futures[-1]] = meta_length

    @property
    def full(self) -> bool:
        """Whether the next invocation starts another message."""
        return len(self.futures) >= MOST_CONTEXTS or self.size_bytes >= FULL_BYTES

    def request(self, sequence: int, target: Target) -> bytes | None:
        """Build the message from what is still wanted."""
        # Who has no deadline must not be bound by those of others.
        deadline_ms = left_ms(self.due) if self.limited == len(self.futures) else 0
        self._forget_cancelled()
        count, contexts = len(self.futures), self.contexts
        if count == 0:
            return None
        # All are of one size: that was seen to when they were added.
        contexts_bytes = count * len(contexts[0])
        data_bytes = self.size_bytes - contexts_bytes
        if not data_bytes:
            return joined_request(
                sequence,
                target,
                count,
                contexts,
                contexts_bytes,
                deadline_ms=deadline_ms,
                origin=self.origin,
            )
        data = self.data
        return joined_request(
            sequence,
            target,
            count,
            contexts,
            contexts_bytes,
            data,
            data_bytes,
            pack_lengths(data),
            self._meta_lengths(),
            deadline_ms=deadline_ms,
            origin=self.origin,
        )

    def packed(self) -> Packed | None:
        """Build a batch from what is still wanted."""
        self._forget_cancelled()
        if not self.futures:
            return None
        contexts, data = b"".join(self.contexts), b"".join(self.data)
        lengths = pack_lengths(self.data) if data else b""
        return Packed(self.count, contexts, data, lengths, self._meta_lengths(), self.origin)

    def settle(self, columns: Columns, result: int | None = None) -> None:
        """Answer every future that its caller has not cancelled."""
        columns = checked(columns, len(self.futures))
        if columns.code is not Result.SUCCESS:
            self._fail(columns, result)
            return
        count, type_ = len(self.futures), self.type_
        if count == 1 and not columns.data:  # the usual event, which somebody waits for alone
            if not self.futures[0].done():
                self.futures[0].set_result(_only(columns, self.contexts[0], self.data[0], type_))
            return
        contexts = cut_evenly(columns.contexts, count) if columns.contexts else self.contexts
        data = self.data
        if columns.data:
            if len(columns.data) != sum(len(each) for each in data):
                self._fail(Columns(Result.FAILED, "the daemon answered data of another length"))
                return
            data = cut(columns.data, [len(each) for each in data])
        results = struct.unpack(f"<{count}I", columns.results)
        for future, code, each, context, packet in zip(
            self.futures, columns.codes, results, contexts, data, strict=True
        ):
            if not future.done():
                message = TRACED if code else ""
                future.set_result(Answer(RESULTS[code], each, context, packet, message, type_))

    def _fail(self, columns: Columns, result: int | None = None) -> None:
        code, message = columns.code, columns.message
        if result is None:
            result = self.fallback.result(code)
        for future, context, data in zip(self.futures, self.contexts, self.data, strict=True):
            if not future.done():
                future.set_result(Answer(code, result, context, data, message, self.type_))

    def _meta_lengths(self) -> bytes:
        if self.metas is None:
            return b""
        return pack_u32s([self.metas.get(future, 0) for future in self.futures])

    def _forget_cancelled(self) -> None:
        for future in self.futures:
            if future.done():
                break
        else:
            return
        kept = [index for index, future in enumerate(self.futures) if not future.done()]
        self.futures = [self.futures[index] for index in kept]
        self.contexts = [self.contexts[index] for index in kept]
        self.data = [self.data[index] for index in kept]
        self.size_bytes = sum(map(len, self.contexts)) + sum(map(len, self.data))


def columns_of(reply: hook_pb2.InvokeResponse | hook_pb2.BatchResult) -> Columns:
    """Read the columns of a reply."""
    if reply.code == 0:
        return Columns(Result.SUCCESS, "", reply.codes, reply.results, reply.contexts, reply.data)
    return Columns(
        result_of(reply.code),
        reply.message,
        reply.codes,
        reply.results,
        reply.contexts,
        reply.data,
        reply.failure_result if isinstance(reply, hook_pb2.BatchResult) else 0,
    )


def checked(columns: Columns, count: int) -> Columns:
    """Turn columns that do not fit the request into a failure."""
    if columns.code is not Result.SUCCESS:
        return columns
    if len(columns.codes) != count or len(columns.results) != 4 * count:
        return Columns(
            Result.FAILED,
            f"{len(columns.codes)} codes and {len(columns.results)} bytes of results came back "
            f"for {count} contexts",
        )
    if columns.contexts and len(columns.contexts) % count:
        return Columns(Result.FAILED, "contexts of unequal size came back")
    return columns


def pack_lengths(pieces: Sequence[bytes]) -> bytes:
    """Pack the length of each piece as a u32."""
    return pack_u32s([len(piece) for piece in pieces])


def pack_u32s(numbers: Sequence[int]) -> bytes:
    """Pack numbers of 32 bits."""
    return struct.pack(f"<{len(numbers)}I", *numbers)


def cut_evenly(column: bytes, count: int) -> list[bytes]:
    """Cut a column of equal pieces."""
    stride = len(column) // count
    return [column[at : at + stride] for at in range(0, len(column), stride)]


def cut(column: bytes, lengths: Sequence[int]) -> list[bytes]:
    """Cut a column at given lengths."""
    pieces: list[bytes] = []
    at = 0
    for length in lengths:
        pieces.append(column[at : at + length])
        at += length
    return pieces


def answer_of(columns: Columns, context: bytes, data: bytes, type_: type[C] | None) -> Answer[C]:
    """Read the outcome of a batch of one; what did not change is as it was sent."""
    columns = checked(columns, 1)
    if columns.code is not Result.SUCCESS:
        result = columns.failure_result
        return Answer(columns.code, result, context, data, columns.message, type_)
    return _only(columns, context, data, type_)


def _only(columns: Columns, context: bytes, data: bytes, type_: type[C] | None) -> Answer[C]:
    code = columns.codes[0]
    return Answer(
        RESULTS[code],
        int.from_bytes(columns.results, "little"),
        columns.contexts or context,
        columns.data or data,
        TRACED if code else "",
        type_,
    )
