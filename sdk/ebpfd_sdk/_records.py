"""Records of ring buffers and perf event arrays, as a client reads them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ebpfd_api.v1 import maps_pb2


@dataclass(frozen=True, slots=True)
class Record:
    """What a program wrote: into the ring of its lane, or into the only one."""

    lane: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Records:
    """Some records, in order for each lane, and how many were lost because nobody read them."""

    records: tuple[Record, ...]
    lost: tuple[int, ...]
    """By lane: since the records before; in the first ones since the map was made."""

    lost_ever: tuple[int, ...]
    """By lane: since the map was made."""

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)


def records_of(message: maps_pb2.EventsResponse) -> Records:
    """Read a message's columns."""
    records: list[Record] = []
    start = 0
    for lane, length in zip(_u32s(message.lanes), _u32s(message.lengths), strict=True):
        records.append(Record(lane, message.data[start : start + length]))
        start += length
    return Records(tuple(records), tuple(message.lost_now), tuple(message.lost))


def _u32s(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 4}I", packed)
