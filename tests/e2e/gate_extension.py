"""A program type whose helpers come as code, or are served by their twins in Python.

Run as ``python tests/e2e/gate_extension.py code|served|changed|careless ADDRESS``.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ebpfd_sdk import (
    U32,
    U64,
    Context,
    Data,
    DataEnd,
    Hook,
    Integer,
    ProgramType,
    ReadableMemory,
    WritableMemory,
    run,
)

OBJECT: Final = Path(__file__).with_name("programs") / "gate_helpers.o"
SEVEN: Final = bytes.fromhex("b7000000070000009500000000000000")
"""r0 = 7; exit"""


class Gate(Context):
    """What a gate tells its programs."""

    data: Data = 0
    data_end: DataEnd = 0
    visitors: U32 = 0
    most: U32 = 0


def gate_hash(text: ReadableMemory, seed: U64) -> Integer:
    """FNV-1a over *text*."""
    value = 0xCBF29CE484222325 ^ seed
    for byte in text:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value & 0xFFFFFFFF


def gate_room(gate: Gate) -> Integer:
    """Tell how many of the visitors may still come."""
    return max(0, gate.most - gate.visitors)


def gate_capitals(into: WritableMemory, text: ReadableMemory) -> Integer:
    """Write *text* in capitals, as far as there is room."""
    length = min(len(into), len(text))
    into[:length] = text[:length].upper()
    return length


def gate_careless(text: ReadableMemory) -> Integer:
    """Tell a byte that may not be there."""
    return text[7]


TWINS: Final[tuple[Callable[..., int], ...]] = (gate_hash, gate_room, gate_capitals)


def gate(way: str) -> ProgramType[Gate]:
    """The program type, with its helpers in one of the ways that the first line names."""
    declared = ProgramType(
        "5d2a61de-6a43-4a0c-9d11-4f86a1a6f2b0", Gate, name="gate", section="gate"
    )
    calls = 0

    def counted(function: Callable[..., int]) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            nonlocal calls
            calls += 1
            return function(*arguments)

        call.__name__, call.__wrapped__ = function.__name__, function  # type: ignore[attr-defined]
        call.__annotations__ = function.__annotations__
        return call

    for id_, twin in enumerate(TWINS, 0x10000):
        code: bytes | Path | None = None if way == "served" else OBJECT
        if way == "changed" and twin is gate_room:
            code = SEVEN
        declared.helper(id_, code=code)(counted(twin))
    if way == "careless":
        declared.helper(0x10004, code=OBJECT)(gate_careless)

    @declared.helper(0x10003)
    def gate_calls() -> Integer:
        return calls

    return declared


if __name__ == "__main__":
    served = gate(sys.argv[1])
    run(
        served,
        Hook("5d2a61df-6a43-4a0c-9d11-4f86a1a6f2b0", served, name="gate"),
        address=sys.argv[2],
    )
