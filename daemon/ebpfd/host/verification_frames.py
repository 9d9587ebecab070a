"""What the daemon and its verification workers say to each other: length-prefixed msgpack.

A request carries the object file itself, so that the worker judges the very bytes that will run.
The parts of a verdict have the names and the fields that the engine gives them.
"""

import struct
from typing import Final

import msgspec

from ebpfd.contracts import EngineInformation

LENGTH: Final = struct.Struct("<I")
"""Goes before each frame: its size in bytes."""


class Request(msgspec.Struct, frozen=True):
    """Judge program number ``program`` of ``object`` against ``information``.

    It is judged as it will run: relocated for ``context_btf``, and linked with helpers that come
    as code.
    """

    object: bytes
    program: int
    information: EngineInformation
    context_btf: bytes = b""


class Source(msgspec.Struct, frozen=True):
    """A line of the program's source."""

    file: str
    line: int
    column: int
    text: str


class PathStep(msgspec.Struct, frozen=True):
    """One thing that control does on its way; ``way`` and ``text`` as the engine names them."""

    way: str
    pc: int
    source: Source | None = None
    text: str = ""
    taken: bool = False
    next_pc: int | None = None
    next: Source | None = None
    times: int = 1


class RegisterEvent(msgspec.Struct, frozen=True):
    """One thing that happened to a register; ``change`` as the engine names it."""

    change: str
    pc: int
    source: Source | None = None
    text: str = ""


class Witness(msgspec.Struct, frozen=True):
    """An input on which the program goes wrong, where it was stopped, and with which result."""

    context: bytes
    data: bytes
    meta_length: int
    notes: list[str]
    outcome: str
    pc: int
    code: int


class Explanation(msgspec.Struct, frozen=True):
    """What our own judge can tell of a mistake that it has followed the program to."""

    kind: str
    obligation: str = ""
    fact: str = ""
    proof: str = ""
    path: list[PathStep] = []
    registers: list[tuple[int, str]] = []
    history: list[RegisterEvent] = []
    witness: Witness | None = None


class Rejection(msgspec.Struct, frozen=True):
    """Why a program is refused."""

    reason: str
    pc: int | None = None
    instruction: str = ""
    hint: str = ""
    detail: str = ""
    source: Source | None = None
    explanation: Explanation | None = None


class Verdict(msgspec.Struct, frozen=True):
    """The judgement; ``rejection`` is None if the program is accepted.

    ``decided`` is False where our own judge cannot show that the program is safe, and nobody else
    was asked.  ``worst_case``, ``steps``, ``states`` and ``proved_loops`` are our own judge's.
    ``by_chance`` is True of one that the same question may not get again, for its judge was killed
    or could not begin.  ``cached`` is True of one that was given before; the effort told is that of
    then.
    """

    judge: str
    rejection: Rejection | None = None
    decided: bool = True
    worst_case: int | None = None
    steps: int = 0
    states: int = 0
    proved_loops: int = 0
    has_loops: bool = False
    instruction_count: int = 0
    duration_ns: int = 0
    by_chance: bool = False
    cached: bool = False
