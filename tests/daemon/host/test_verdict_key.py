"""Verdicts are remembered under all that weighs in them, and nothing else tells them apart."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ebpfd.contracts import (
    BtfResolvedFunction,
    ContextDescriptor,
    EngineInformation,
    ProgramData,
    engine_information,
)
from ebpfd.host.verdict_key import Question, verdict_key
from ebpfd_vm import parse_object
from tests.daemon.contracts.samples import SAMPLE, program_data
from tests.daemon.host.world import object_file

replace = dataclasses.replace


@dataclass(frozen=True)
class Program:
    """What weighs of a program."""

    instructions: bytes
    subprograms: list[tuple[str, int]]
    imports: list[tuple[str, str]]
    debug_sha256: bytes


@dataclass(frozen=True)
class Map:
    """What weighs of a map."""

    name: str
    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    inner: int | None
    values: list[tuple[int, str]]
    initial: bytes | None
    read_only: bool


@dataclass(frozen=True)
class Weighed:
    """All that a key is made of."""

    program: Program
    maps: Sequence[Map]
    information: EngineInformation
    question: Question

    @property
    def key(self) -> bytes:
        """The key."""
        return verdict_key(self.program, self.maps, self.information, self.question)


_u32, _names = st.integers(0, 2**32 - 1), st.text(max_size=6)
_functions = st.builds(
    BtfResolvedFunction,
    module=st.uuids(),
    name=_names,
    return_type=st.sampled_from([0, 1]),
    arguments=st.just((1, 0, 0, 0, 0)),
    reallocate_packet=st.booleans(),
)
_programs = st.builds(
    Program,
    instructions=st.binary(max_size=16),
    subprograms=st.lists(st.tuples(_names, _u32), max_size=2),
    imports=st.lists(st.tuples(_names, _names), max_size=2),
    debug_sha256=st.binary(min_size=32, max_size=32),
)
_maps = st.builds(
    Map,
    name=_names,
    type=_u32,
    key_size=_u32,
    value_size=_u32,
    max_entries=_u32,
    flags=_u32,
    inner=st.none() | st.integers(0, 3),
    values=st.lists(st.tuples(_u32, _names), max_size=2),
    initial=st.none() | st.binary(max_size=8),
    read_only=st.booleans(),
)


def _information(data: ProgramData, functions: list[BtfResolvedFunction]) -> EngineInformation:
    return replace(engine_information(data), functions=tuple(functions))


_informations = st.builds(_information, program_data, st.lists(_functions, max_size=2))
_questions = st.builds(
    Question,
    judge=st.sampled_from(["ours", "prevail"]),
    version=_names,
    limits=st.lists(st.floats(allow_nan=False), max_size=2).map(tuple),
)
weighed = st.builds(
    Weighed,
    program=_programs,
    maps=st.lists(_maps, max_size=2),
    information=_informations,
    question=_questions,
)


@given(weighed, weighed, st.data())
def test_any_single_change_changes_the_key(one: Weighed, other: Weighed, data: Any) -> None:
    """One field of one part, wherever it is, taken from another question."""
    part = data.draw(st.sampled_from(["program", "map", "information", "question"]))
    if part == "map":
        assume(one.maps and other.maps)
        before, after = one.maps[0], other.maps[0]
    else:
        before, after = getattr(one, part), getattr(other, part)
    name = data.draw(st.sampled_from([field.name for field in dataclasses.fields(before)]))
    changed_part = replace(before, **{name: getattr(after, name)})
    assume(changed_part != before)
    if part == "map":
        changed = replace(one, maps=[changed_part, *one.maps[1:]])
    else:
        changed = replace(one, **{part: changed_part})
    assert changed.key != one.key


@given(weighed, _maps)
def test_a_map_more_or_another_order_changes_the_key(one: Weighed, added: Map) -> None:
    """Programs name maps by their places."""
    more = replace(one, maps=[*one.maps, added])
    assert more.key != one.key
    turned = replace(more, maps=more.maps[::-1])
    assert (turned.key == more.key) == (list(turned.maps) == list(more.maps))


@given(weighed)
def test_equal_questions_have_equal_keys(one: Weighed) -> None:
    """Whoever asks, and whenever."""
    again = Weighed(
        replace(one.program), list(one.maps), replace(one.information), replace(one.question)
    )
    assert again.key == one.key
    assert len(one.key) == 32


def test_all_of_an_engines_view_weighs() -> None:
    """A field that the view gains is in the key without anybody's doing."""

    @dataclass(frozen=True, kw_only=True)
    class Grown(EngineInformation):
        added: int = 0

    values = {
        each.name: getattr(INFORMATION, each.name) for each in dataclasses.fields(INFORMATION)
    }
    question = Question(judge="ours", version="1")
    keys = {
        verdict_key(SPEC, OBJECT.maps, information, question)
        for information in (INFORMATION, Grown(**values), Grown(**values, added=1))
    }
    assert len(keys) == 3


OBJECT = parse_object(object_file("count.o"))
SPEC = OBJECT.programs[0]
INFORMATION = engine_information(SAMPLE)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"context": ContextDescriptor(size=40, data=0, end=8)},
        {"is_privileged": True},
        {"helpers": INFORMATION.helpers[1:]},
        {"writable": ((16, 4),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_programs_of_a_file_are_told_apart_by_their_contracts(change: dict[str, Any]) -> None:
    """With the engine's own values, of a file parsed twice."""
    question = Question(judge="ours", version="1")
    key = verdict_key(SPEC, OBJECT.maps, INFORMATION, question)
    again = parse_object(object_file("count.o"))
    assert verdict_key(again.programs[0], again.maps, INFORMATION, question) == key
    assert verdict_key(SPEC, OBJECT.maps, replace(INFORMATION, **change), question) != key


def test_lines_of_source_weigh_in_what_is_said() -> None:
    """The same instructions of other lines: an explanation would name the wrong ones."""
    content = object_file("unsafe/null_map_value.o")
    renamed = content.replace(b"null_map_value.c", b"null_map_valuf.c")
    one, other = parse_object(content).programs[0], parse_object(renamed).programs[0]
    assert one.instructions == other.instructions
    assert one.debug_sha256 != other.debug_sha256
