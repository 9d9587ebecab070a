"""Records of ring buffers and perf event arrays, for one reader at a time of each map.

    program --> ring --> read() --> a message --> the stream takes it, or not yet
                 |  (full: dropped and counted)
                 '--> event: only while the reader waits

Nothing is read ahead: a slow reader costs the ring's own memory and no more.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from ebpfd.errors import RequestError
from ebpfd.objects import MapObject
from ebpfd_api.result import Result
from ebpfd_vm import Map

RECORDS_A_MESSAGE: Final = 4096
BYTES_A_MESSAGE: Final = 256 << 10
"""About: the last record may go beyond it."""

_MOST: Final = (1 << 64) - 1

LARGEST_RECORD: Final = 15 << 20
"""What fits into a message; larger records are counted as lost."""


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Records (lane, bytes), and lost ones by lane: of all times, and since the batch before."""

    records: list[tuple[int, bytes]]
    lost: list[int]
    lost_now: list[int]


class RecordReader:
    """The one reader of a map."""

    def __init__(self, source: Map) -> None:
        self._source = source
        self._woken = asyncio.Event()
        self._ended = ""
        self._told: list[int] = []
        self._too_large: dict[int, int] = {}

    def end(self, reason: str) -> None:
        """Let the reader wait no more: it learns *reason* as CANCELED."""
        self._ended = self._ended or reason
        self._woken.set()

    async def next(self, limit: int | None = None) -> RecordBatch:
        """The records that are there, or the first that come; *limit* of them at most."""
        most = min(limit or RECORDS_A_MESSAGE, RECORDS_A_MESSAGE)
        while not self._ended:
            if (batch := self._read(most)) is not None:
                return batch
            await self._wait()
        raise RequestError(Result.CANCELED, self._ended)

    def _read(self, most: int) -> RecordBatch | None:
        found, lost = self._source.read(most, BYTES_A_MESSAGE)
        records: list[tuple[int, bytes]] = []
        for lane, data in found:
            if len(data) <= LARGEST_RECORD:
                records.append((lane, data))
            else:
                self._too_large[lane] = self._too_large.get(lane, 0) + 1
        lost = [min(count + self._too_large.get(lane, 0), _MOST) for lane, count in enumerate(lost)]
        told = self._told or [0] * len(lost)
        now = [max(count - before, 0) for count, before in zip(lost, told, strict=True)]
        if not records and not any(now):
            return None
        self._told = lost
        return RecordBatch(records, lost, now)

    async def _wait(self) -> None:
        self._woken.clear()
        if self._ended:
            return
        if not self._source.arm():
            # A process that shares the map could keep us here.
            await asyncio.sleep(0)
            return
        loop, event = asyncio.get_running_loop(), self._source.event()
        # Only while it waits: the descriptor stays readable until it is armed again.
        loop.add_reader(event, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            loop.remove_reader(event)


class RecordReaders:
    """Who reads which map."""

    def __init__(self) -> None:
        self._reading: dict[int, RecordReader] = {}
        self._closed = False

    @contextmanager
    def reading(self, map_object: MapObject) -> Generator[RecordReader]:
        """Be the reader of a map within the block."""
        if not map_object.map.has_records:
            message = f"map {map_object.id} has no records: it is no RINGBUF or PERF_EVENT_ARRAY"
            raise RequestError(Result.OPERATION_NOT_SUPPORTED, message)
        if map_object.id in self._reading:
            message = f"somebody else reads the records of map {map_object.id}: they go to one"
            raise RequestError(Result.INVALID_STATE, message)
        if self._closed:
            raise RequestError(Result.CANCELED, "the daemon stops")
        reader = self._reading[map_object.id] = RecordReader(map_object.map)

        def gone() -> None:
            reader.end(f"map {map_object.id} has gone")

        map_object.when_gone.add(gone)
        try:
            yield reader
        finally:
            map_object.when_gone.discard(gone)
            del self._reading[map_object.id]

    def close(self) -> None:
        """End every reader, at the daemon's end."""
        self._closed = True
        for reader in self._reading.values():
            reader.end("the daemon stops")
