"""Batches that their caller packed, from whatever holds bytes: bytes, memoryviews, NumPy's arrays.

Nothing is copied before the message is made.  NumPy is not needed: its arrays are buffers as
others are.
"""

import asyncio
import struct
from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from ebpfd_api.result import Result
from ebpfd_sdk._batch import Columns, Packed, checked, pack_u32s
from ebpfd_sdk._deadline import left_ms
from ebpfd_sdk._layout import Layout
from ebpfd_sdk._origin import Origin
from ebpfd_sdk._policy import Fallback
from ebpfd_sdk._request import Target, joined_request

if TYPE_CHECKING:
    from typing_extensions import Buffer

Numbers: TypeAlias = "list[int] | tuple[int, ...] | range | Buffer"
"""Unsigned numbers of 32 bits: themselves, an array of them, or packed little-endian as bytes."""


class Bulk:
    """A batch that its caller packed, answered in columns; nobody wants it after *due*."""

    __slots__ = ("batch", "count", "due", "fallback", "future", "size_bytes")

    def __init__(
        self,
        batch: Packed,
        future: asyncio.Future[Columns],
        fallback: Fallback,
        due: float | None = None,
    ) -> None:
        self.due = due
        self.batch = batch
        self.count = batch.count
        self.size_bytes = size_of(batch.contexts) + size_of(batch.data)
        self.future = future
        self.fallback = fallback

    def request(self, sequence: int, target: Target) -> bytes | None:
        """Build the message."""
        if self.future.done():
            return None
        batch = self.batch
        return joined_request(
            sequence,
            target,
            batch.count,
            (batch.contexts,),
            size_of(batch.contexts),
            (batch.data,),
            size_of(batch.data),
            batch.data_lengths,
            batch.meta_lengths,
            0 if self.due is None else left_ms(self.due),
            batch.origin,
        )

    def packed(self) -> Packed | None:
        """Return the batch, if its answer is wanted."""
        return None if self.future.done() else self.batch

    def settle(self, columns: Columns, result: int | None = None) -> None:
        """Hand the columns on; if all has failed, with what to do then."""
        columns = checked(columns, self.count)
        if columns.code is not Result.SUCCESS:
            if result is None:
                result = self.fallback.result(columns.code)
            columns = columns._replace(failure_result=result)
        if not self.future.done():
            self.future.set_result(columns)


def packed_batch(
    layout: Layout,
    contexts: "Buffer",
    count: int | None,
    data: "Buffer",
    data_lengths: Numbers,
    meta_lengths: Numbers,
    origin: Origin | None = None,
) -> Packed:
    """Take the columns as they are; without *count* there are as many as contexts, or lengths."""
    flat, lengths = _flat("contexts", contexts), packed_numbers(data_lengths)
    if count is None:
        count = _count_of(layout, flat) or len(lengths) // 4 or 1
    return Packed(count, flat, _flat("data", data), lengths, packed_numbers(meta_lengths), origin)


def packed_numbers(numbers: Numbers) -> bytes:
    """Pack numbers as u32, unless they are packed already."""
    if isinstance(numbers, bytes):
        return numbers
    if isinstance(numbers, (list, tuple, range)):
        return _u32s(numbers)
    view = memoryview(numbers)
    if view.format == "B" or (view.format in {"I", "<I", "L", "<L"} and view.itemsize == 4):
        return view.tobytes()
    return _u32s(view.tolist())


def _u32s(numbers: Sequence[int]) -> bytes:
    try:
        return pack_u32s(numbers)
    except struct.error as error:
        raise ValueError(f"lengths: {error}; they are numbers of 32 bits") from None


def size_of(column: bytes | memoryview) -> int:
    """Bytes of a column."""
    return column.nbytes if isinstance(column, memoryview) else len(column)


def _flat(name: str, column: "Buffer") -> bytes | memoryview:
    if isinstance(column, bytes):
        return column
    view = memoryview(column)
    if not view.c_contiguous:
        raise ValueError(f"{name}: the array has gaps; numpy.ascontiguousarray makes one without")
    return view


def _count_of(layout: Layout, contexts: bytes | memoryview) -> int:
    size = size_of(contexts)
    if isinstance(contexts, memoryview):
        item = contexts.itemsize * prod((contexts.shape or ())[1:])
        if item not in {1, layout.size}:
            raise ValueError(
                f"contexts: each has {item} bytes, and {layout.owner} takes {layout.size}"
            )
    if size % layout.size:
        raise ValueError(
            f"contexts: {size} bytes are no whole number of {layout.owner}, which takes "
            f"{layout.size}: say with count= how many there are"
        )
    return size // layout.size
