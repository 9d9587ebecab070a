"""A chain: the programs of several links, one after the other, on a batch of contexts.

Each context goes its own way: a program that fails on it, or whose result stops the chain, is its
last one.  What goes on is handed to the next program as the one before it left it.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ebpfd.contracts import ChainRule
from ebpfd_api.result import Result


@dataclass(frozen=True, slots=True)
class Batch:
    """Contexts with their data, in columns; numbers are packed little-endian u32."""

    count: int = 1
    contexts: bytes = b""
    data: bytes = b""
    data_lengths: bytes = b""
    meta_lengths: bytes = b""


class Outcome(Protocol):
    """What a program made of a batch."""

    @property
    def codes(self) -> bytes:
        """One ``ebpf_result`` a context, a byte each."""
        ...

    @property
    def results(self) -> bytes:
        """A little-endian u32 a context."""
        ...

    @property
    def contexts(self) -> bytes:
        """All contexts; empty: none changed."""
        ...

    @property
    def data(self) -> bytes:
        """All data; empty: none changed."""
        ...


@dataclass(frozen=True, slots=True)
class ChainOutcome:
    """What a chain made of a batch: the code and result of each context's last program.

    Contexts and data are empty if no program changed any.
    """

    codes: bytes
    results: bytes
    contexts: bytes
    data: bytes


def decided(outcome: Outcome, result_of: Callable[[int], int]) -> Outcome:
    """The outcome with the result for its code for each context whose run has failed."""
    codes = outcome.codes
    if not codes.strip(b"\0"):
        return outcome
    each_result = zip(codes, _numbers(outcome.results), strict=True)
    results = [result_of(code) if code else each for code, each in each_result]
    packed = struct.pack(f"<{len(results)}I", *results)
    return ChainOutcome(codes, packed, outcome.contexts, outcome.data)


class Chain:
    """A batch on its way.

    Run a program on ``batch`` while there is one, and say with ``ran`` or ``failed`` what came of
    it.  The first program sees the batch as it was given, and is the judge of its columns.
    """

    def __init__(self, batch: Batch, rule: ChainRule) -> None:
        self.batch: Batch | None = batch
        """What the next program gets; None: every context has ended."""

        self._given = batch
        self._rule = rule
        self._going: Sequence[int] = range(batch.count)
        self._codes = self._results = b""  # of the first program, once it has judged the count
        self._contexts, self._data = batch.contexts, batch.data

    def ran(self, outcome: Outcome) -> None:
        """A program ran on ``batch``."""
        going, count = self._going, self._given.count
        if len(going) == count:
            self._codes, self._results = outcome.codes, outcome.results
            self._contexts = outcome.contexts or self._contexts
            self._data = outcome.data or self._data
        else:
            self._merge(outcome)
        results, stops = _numbers(outcome.results), self._rule.stops
        if not outcome.codes.strip(b"\0") and self._rule.stops_none(results):
            self._go_on(going)  # what nearly always happens
            return
        self._go_on(
            [
                each
                for each, code, result in zip(going, outcome.codes, results, strict=True)
                if code == Result.SUCCESS and not stops(result)
            ]
        )

    def failed(self, code: int, result: int = 0) -> None:
        """A program could not run: that ends every context that has come so far."""
        count = len(self._going)
        codes, results = bytes([code]) * count, result.to_bytes(4, "little") * count
        if count == self._given.count:
            self._codes, self._results = codes, results
        else:
            self._end(codes, results)
        self._go_on([])

    def outcome(self) -> ChainOutcome:
        """What it has come to."""
        given = self._given
        return ChainOutcome(
            self._codes,
            self._results,
            self._contexts if self._contexts != given.contexts else b"",
            self._data if self._data != given.data else b"",
        )

    def _end(self, codes: bytes, results: bytes) -> None:
        """Put codes and results of some contexts among those of the others."""
        given, going = self._given.count, self._going
        ones, fours = [1] * given, [4] * given
        self._codes = _put(self._codes, ones, going, codes)
        self._results = _put(self._results, fours, going, results)

    def _merge(self, outcome: Outcome) -> None:
        """Put what happened to some contexts among the others."""
        self._end(outcome.codes, outcome.results)
        if outcome.contexts:
            strides = [len(outcome.contexts) // len(self._going)] * self._given.count
            contexts = self._contexts or bytes(sum(strides))
            self._contexts = _put(contexts, strides, self._going, outcome.contexts)
        if outcome.data:
            self._data = _put(self._data, self._lengths(), self._going, outcome.data)

    def _go_on(self, going: Sequence[int]) -> None:
        given = self._given
        self._going = going
        if not going:
            self.batch = None
        elif len(going) == given.count:
            self.batch = replace(given, contexts=self._contexts, data=self._data)
        else:
            fours = [4] * given.count
            strides = [len(self._contexts) // given.count] * given.count
            self.batch = Batch(
                count=len(going),
                contexts=_take(self._contexts, strides, going),
                data=_take(self._data, self._lengths(), going),
                data_lengths=_take(given.data_lengths, fours, going),
                meta_lengths=_take(given.meta_lengths, fours, going),
            )

    def _lengths(self) -> list[int]:
        return list(_numbers(self._given.data_lengths)) or [0] * self._given.count


def _numbers(column: bytes) -> Sequence[int]:
    return struct.unpack(f"<{len(column) // 4}I", column)


def _cut(column: bytes, lengths: Iterable[int]) -> Iterator[bytes]:
    at = 0
    for length in lengths:
        yield column[at : at + length]
        at += length


def _take(column: bytes, lengths: Sequence[int], indices: Sequence[int]) -> bytes:
    """The pieces at *indices*, of a column of pieces of these *lengths*; nothing of nothing."""
    pieces = list(_cut(column, lengths))
    return b"".join(pieces[each] for each in indices)


def _put(column: bytes, lengths: Sequence[int], indices: Sequence[int], new: bytes) -> bytes:
    """The column with the pieces of *new*, which have the old lengths, at *indices*."""
    pieces = list(_cut(column, lengths))
    changed = _cut(new, [lengths[each] for each in indices])
    for each, piece in zip(indices, changed, strict=True):
        pieces[each] = piece
    return b"".join(pieces)
