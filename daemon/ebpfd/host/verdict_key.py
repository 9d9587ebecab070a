"""What a verdict is remembered under: a hash of everything that weighs in it.

Two questions with one key have one answer.  What a program is, and what it may do, is written out
field by field in an encoding that tells any two values apart; a field that the engine's view of
contracts gains weighs at once.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import msgspec

from ebpfd.contracts import EngineInformation

_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")


class WeighedProgram(Protocol):
    """What weighs of a program; ``ebpfd_vm.ProgramSpec`` has it."""

    @property
    def instructions(self) -> bytes:
        """Its own, and those of its sub-programs behind them."""
        ...

    @property
    def subprograms(self) -> list[tuple[str, int]]:
        """Names of functions, and where they begin."""
        ...

    @property
    def imports(self) -> list[tuple[str, str]]:
        """Whom its calls of imports mean: module and name."""
        ...

    @property
    def debug_sha256(self) -> bytes:
        """What explanations name: functions and lines of source."""
        ...


class WeighedMap(Protocol):
    """What weighs of a map that a file declares; ``ebpfd_vm.MapSpec`` has it.

    The search for an input that shows a mistake begins with maps as the file fills them, so the
    contents of every data section weigh, and not of read-only ones alone.
    """

    @property
    def name(self) -> str:
        """What explanations call it."""
        ...

    @property
    def type(self) -> int:
        """Number of its ``bpf_map_type``."""
        ...

    @property
    def key_size(self) -> int:
        """Bytes."""
        ...

    @property
    def value_size(self) -> int:
        """Bytes."""
        ...

    @property
    def max_entries(self) -> int:
        """How many."""
        ...

    @property
    def flags(self) -> int:
        """As the file gives them."""
        ...

    @property
    def inner(self) -> int | None:
        """Which of the file's maps is the template of those inside."""
        ...

    @property
    def values(self) -> list[tuple[int, str]]:
        """What the file puts under which index."""
        ...

    @property
    def initial(self) -> bytes | None:
        """A data section's bytes."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether programs may rely on those."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who is asked: which judge, of which release of the engine, within which limits."""

    judge: Literal["ours", "prevail"]
    version: str
    limits: tuple[float, ...] = ()


def verdict_key(
    program: WeighedProgram,
    maps: Sequence[WeighedMap],
    information: EngineInformation,
    question: Question,
) -> bytes:
    """SHA-256 over all that weighs when *program* of a file with *maps* is judged."""
    weighs = (
        (program.instructions, program.subprograms, program.imports, program.debug_sha256),
        [_map(each) for each in maps],
        information,
        question,
    )
    return hashlib.sha256(_ENCODER.encode(weighs)).digest()


def _map(each: WeighedMap) -> tuple[object, ...]:
    return (
        each.name,
        each.type,
        each.key_size,
        each.value_size,
        each.max_entries,
        each.flags,
        each.inner,
        each.values,
        each.initial,
        each.read_only,
    )
