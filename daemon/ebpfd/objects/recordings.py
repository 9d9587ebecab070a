"""What a recording consists of: programs, their maps as they were, and events with their outcomes.

A program and its maps come before their first batch, and writes of users where they were made;
what is missing is counted where it is missing.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import accumulate, pairwise
from typing import Final, TypeAlias
from uuid import UUID

from ebpfd.contracts import BtfResolvedFunction, ProgramData
from ebpfd.objects.origin import Origin

PIECE_BYTES: Final = 1 << 20
"""What one entry holds of a batch at most; more only if a single event is larger."""

MapTemplate: TypeAlias = tuple[int, int, int, int]
"""What an inner map must be like: type, key size, value size, entries."""

Tapes: TypeAlias = tuple[int, bytes, bytes]
"""What the runs of a batch were told from outside: their lane, tapes, lengths of the tapes."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is recorded: a hook, or with a ``link_id`` one link of it."""

    began_ns: int
    attach_type: UUID
    attach_type_name: str
    link_id: int
    lanes: int


@dataclass(frozen=True, slots=True)
class RecordedMap:
    """A map that a recorded program reaches; ``without_entries``: it had some, not recorded."""

    id: int
    name: str
    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int = 0
    read_only: bool = False
    inner: MapTemplate | None = None
    without_entries: bool = False


@dataclass(frozen=True, slots=True)
class RecordedMapEntries:
    """Entries of a map, one behind the other; of a program array names instead of values."""

    map_id: int
    keys: bytes
    values: bytes = b""
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedProgram:
    """A program as it was verified; ``object_file`` is empty if it is too large to be here."""

    id: int
    name: str
    section: str
    file_name: str
    object_sha256: bytes
    program_sha256: bytes
    object_file: bytes
    contract: ProgramData
    functions: tuple[BtfResolvedFunction, ...]
    map_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RecordedBatch:
    """Events in columns, what they came to, and what their runs were told from outside."""

    link_id: int
    program_id: int
    count: int
    contexts: bytes
    data: bytes
    data_lengths: bytes
    meta_lengths: bytes
    origin: Origin | None
    codes: bytes
    results: bytes
    contexts_after: bytes
    data_after: bytes
    lane: int
    tape: bytes
    tape_lengths: bytes
    overlapped: bool = False

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        columns = (self.contexts, self.data, self.contexts_after, self.data_after, self.tape)
        return sum(map(len, columns)) + self.count * 20

    def data_of(self, data: bytes) -> list[bytes]:
        """Each event's part of *data*, which is as long as that of the batch."""
        return _parts(data, self._data_ends())

    def contexts_of(self, contexts: bytes) -> list[bytes]:
        """Each event's part of *contexts*."""
        stride = len(contexts) // self.count
        return [contexts[at * stride : (at + 1) * stride] for at in range(self.count)]

    def first(self, count: int) -> "RecordedBatch":
        """The batch without what follows its first *count* events."""
        return self._part(0, min(count, self.count))

    def tapes(self) -> list[bytes]:
        """What each event's run was told."""
        return _parts(self.tape, self._tape_ends())

    def pieces(self, limit: int = PIECE_BYTES) -> Iterator["RecordedBatch"]:
        """The batch in parts of *limit* bytes, or of one event."""
        if self.size <= limit:
            yield self
            return
        stride = (len(self.contexts) + len(self.contexts_after)) // self.count + 20
        data, tape = self._data_ends(), self._tape_ends()
        factor = 1 + bool(self.data_after)
        begin = 0
        while begin < self.count:
            end = begin + 1
            while end < self.count:
                held = (end + 1 - begin) * stride + (data[end + 1] - data[begin]) * factor
                if held + tape[end + 1] - tape[begin] > limit:
                    break
                end += 1
            yield self._part(begin, end)
            begin = end

    def _part(self, begin: int, end: int) -> "RecordedBatch":
        if (begin, end) == (0, self.count):
            return self
        data, tape = self._data_ends(), self._tape_ends()

        def fixed(column: bytes) -> bytes:
            stride = len(column) // self.count
            return column[begin * stride : end * stride]

        return replace(
            self,
            count=end - begin,
            contexts=fixed(self.contexts),
            data=self.data[data[begin] : data[end]],
            data_lengths=fixed(self.data_lengths),
            meta_lengths=fixed(self.meta_lengths),
            codes=fixed(self.codes),
            results=fixed(self.results),
            contexts_after=fixed(self.contexts_after),
            data_after=self.data_after[data[begin] : data[end]],
            tape=self.tape[tape[begin] : tape[end]],
            tape_lengths=fixed(self.tape_lengths),
        )

    def _data_ends(self) -> list[int]:
        if not self.data_lengths:  # one event has all data, of several none has any
            return [0] + [len(self.data)] * self.count
        return _ends(self.data_lengths)

    def _tape_ends(self) -> list[int]:
        return _ends(self.tape_lengths)


class WriteKind(Enum):
    """What a user does to a map: ``POP`` takes the next value of a queue or a stack."""

    UPDATE = 1
    DELETE = 2
    POP = 3


@dataclass(frozen=True, slots=True)
class RecordedWrite:
    """What a user did to a recorded map through the daemon, between two events, also in vain.

    Keys and values are one behind the other; of a map of maps the values are ids, of 4 bytes, and
    of a program array there are names instead.
    """

    map_id: int
    kind: WriteKind
    keys: bytes = b""
    values: bytes = b""
    flags: int = 0
    programs: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return len(self.keys) + len(self.values) + 20


@dataclass(frozen=True, slots=True)
class Unseen:
    """A map that a program may write to through a link that is not recorded; 0: in a test run."""

    map_id: int
    link_id: int
    program_name: str


@dataclass(frozen=True, slots=True)
class Loss:
    """Events that ran here, and writes of users, which are not recorded."""

    events: int
    writes: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """The recording was not broken off; with a ``reason``, it ended before its user wanted."""

    events: int
    lost: int
    reason: str = ""


Entry: TypeAlias = (
    Head
    | RecordedMap
    | RecordedMapEntries
    | RecordedProgram
    | RecordedBatch
    | RecordedWrite
    | Unseen
    | Loss
    | End
)


def _ends(lengths: bytes) -> list[int]:
    numbers = struct.unpack(f"<{len(lengths) // 4}I", lengths)
    return list(accumulate(numbers, initial=0))


def _parts(column: bytes, ends: list[int]) -> list[bytes]:
    return [column[begin:end] for begin, end in pairwise(ends)]
