"""A chain on a batch is what it is on each context alone."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebpfd.contracts import ChainRule, ProgramResult
from ebpfd.objects.chains import Batch, Chain, ChainOutcome, decided
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import SAMPLE

STOP: Final = 7
RULE: Final = ChainRule(frozenset([STOP]))

Event: TypeAlias = tuple[bytes, bytes]
"""Context of four bytes, and data."""

Answer: TypeAlias = tuple[int, int, bytes, bytes]
"""Code, result, context and data."""

Program: TypeAlias = Callable[[Event], Answer]


def program(number: int, kinds: list[int], event: Event) -> Answer:
    """One that depends on what it sees, changes it, and sometimes fails or stops."""
    context, data = event
    kind = kinds[(sum(context) + sum(data)) % len(kinds)]
    if kind == Result.TIMEOUT:
        return Result.TIMEOUT, 0, context, data
    if kind % 2:
        context = bytes([context[0] ^ number, *context[1:3], number])
    if kind % 3 == 0:
        data = bytes(each ^ number for each in data)
    return Result.SUCCESS, kind, context, data


def alone(programs: list[Program | None], event: Event) -> Answer:
    """The naive chain: one context, one program after the other; None could not run."""
    code, result, (context, data) = 0, 0, event
    for each in programs:
        if each is None:
            return Result.EXTENSION_FAILED_TO_LOAD, 0, context, data
        code, result, context, data = each((context, data))
        if code or result == STOP:
            break
    return code, result, context, data


@dataclass
class Engine:
    """Runs a program on a batch in columns, and remembers how many contexts it got."""

    program: Program
    counts: list[int] = field(default_factory=list[int])

    def run(self, batch: Batch) -> ChainOutcome:
        """Columns as the engine gives them: empty where nothing changed."""
        self.counts.append(batch.count)
        lengths = u32s(batch.data_lengths) or [len(batch.data)] * batch.count
        assert len(lengths) == batch.count
        assert len(batch.meta_lengths) in (0, 4 * batch.count)
        answers: list[Answer] = []
        at = 0
        for index, length in enumerate(lengths):
            context = batch.contexts[4 * index : 4 * index + 4]
            answers.append(self.program((context, batch.data[at : at + length])))
            at += length
        return columns(answers, batch)


def u32_column(*numbers: int) -> bytes:
    """Pack."""
    return b"".join(each.to_bytes(4, "little") for each in numbers)


def u32s(column: bytes) -> list[int]:
    """Unpack."""
    return [int.from_bytes(column[at : at + 4], "little") for at in range(0, len(column), 4)]


def columns(answers: list[Answer], batch: Batch) -> ChainOutcome:
    """Pack answers."""
    contexts = b"".join(answer[2] for answer in answers)
    data = b"".join(answer[3] for answer in answers)
    return ChainOutcome(
        bytes(answer[0] for answer in answers),
        b"".join(answer[1].to_bytes(4, "little") for answer in answers),
        contexts if contexts != batch.contexts else b"",
        data if data != batch.data else b"",
    )


KINDS = st.lists(st.sampled_from([0, 1, 2, 3, STOP, Result.TIMEOUT]), min_size=1, max_size=5)
EVENTS = st.lists(
    st.tuples(st.binary(min_size=4, max_size=4), st.binary(max_size=3)), min_size=1, max_size=6
)


@given(EVENTS, st.lists(st.one_of(KINDS, st.none()), min_size=1, max_size=4), st.booleans())
def test_a_batch_is_its_contexts_one_by_one(
    events: list[Event], chain_of: list[list[int] | None], with_data: bool
) -> None:
    """Stops, errors and changes concern the context they belong to, and no other."""
    if not with_data:
        events = [(context, b"") for context, _ in events]
    programs: list[Program | None] = [
        None if kinds is None else partial(program, number, kinds)
        for number, kinds in enumerate(chain_of, start=1)
    ]
    batch = Batch(
        count=len(events),
        contexts=b"".join(context for context, _ in events),
        data=b"".join(data for _, data in events),
        data_lengths=b"".join(len(data).to_bytes(4, "little") for _, data in events)
        if with_data
        else b"",
        meta_lengths=bytes(4 * len(events)) if with_data else b"",
    )
    chain = Chain(batch, RULE)
    for each in programs:
        if chain.batch is None:
            break
        if each is None:
            chain.failed(Result.EXTENSION_FAILED_TO_LOAD)
        else:
            chain.ran(Engine(each).run(chain.batch))
    assert chain.outcome() == columns([alone(programs, event) for event in events], batch)


def goes_on(chain: Chain) -> Batch | None:
    """What the next program gets."""
    return chain.batch


def test_who_has_ended_is_not_run_again() -> None:
    """The next program gets only what goes on, and none if nothing does."""
    batch = Batch(
        3, b"aaaabbbbcccc", b"xyz", *[b"".join(bytes([n, 0, 0, 0]) for n in (1, 0, 2))] * 2
    )
    chain = Chain(batch, RULE)
    assert goes_on(chain) is batch, "the first program judges the columns as they came"
    results = b"".join(each.to_bytes(4, "little") for each in (STOP, 0, 0))
    chain.ran(ChainOutcome(bytes(3), results, b"", b""))
    lengths = b"\0\0\0\0\2\0\0\0"
    assert goes_on(chain) == Batch(2, b"bbbbcccc", b"yz", lengths, lengths)
    chain.ran(ChainOutcome(bytes([Result.TIMEOUT, 0]), bytes(4) + results[:4], b"", b"YZ"))
    assert goes_on(chain) is None
    assert chain.outcome() == ChainOutcome(
        bytes([0, Result.TIMEOUT, 0]), results[:4] + bytes(4) + results[:4], b"", b"xYZ"
    )


def test_a_failed_run_has_the_result_that_was_decided_on() -> None:
    """Each context that failed, by its code, and no other."""
    results: dict[int, int] = {Result.TIMEOUT: 9, Result.FAILED: 8}
    codes = bytes([0, Result.TIMEOUT, 0, Result.FAILED])
    mixed = ChainOutcome(codes, u32_column(5, 0, 6, 0), b"c", b"d")
    expected = ChainOutcome(codes, u32_column(5, 9, 6, 8), b"c", b"d")
    assert decided(mixed, results.__getitem__) == expected
    well = ChainOutcome(bytes(3), u32_column(5, 0, 6), b"", b"")
    assert decided(well, results.__getitem__) is well


def test_one_context_needs_no_lengths() -> None:
    """All data is its own."""
    chain = Chain(Batch(1, b"aaaa", b"xyz"), ChainRule())
    chain.ran(ChainOutcome(b"\0", bytes(4), b"", b"XYZ"))
    assert chain.batch == Batch(1, b"aaaa", b"XYZ")
    chain.ran(ChainOutcome(b"\0", bytes(4), b"", b""))
    assert chain.outcome().data == b"XYZ"


@given(st.lists(st.integers(0, 4)), st.frozensets(st.integers(0, 4)), st.booleans())
def test_a_rule_says_of_many_what_it_says_of_each(
    results: list[int], these: frozenset[int], all_but: bool
) -> None:
    """These results, or all but these."""
    rule = ChainRule(these, all_but)
    assert [rule.stops(each) for each in results] == [
        each not in these if all_but else each in these for each in results
    ]
    assert rule.stops_none(results) == (not any(map(rule.stops, results)))


@pytest.mark.parametrize("others_stop", [False, True])
def test_a_contract_names_the_results_that_stop(others_stop: bool) -> None:
    """What it does not name stops if it says so."""
    stops = ProgramResult(value=1, name="enough", stops_chain=True)
    goes_on = ProgramResult(value=2, name="more")
    contract = dataclasses.replace(SAMPLE, results=(stops, goes_on), other_results_stop=others_stop)
    rule = contract.chain_rule()
    assert [rule.stops(each) for each in (1, 2, 3)] == [True, False, others_stop]
