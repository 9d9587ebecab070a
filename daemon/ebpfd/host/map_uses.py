"""What a program does with a map, as far as its instructions say it plainly."""

import struct
from collections.abc import Iterator
from typing import Final

_LDDW, _CALL, _MOVE, _MAP = 0x18, 0x85, 0xBF, 1
_JUMPS: Final = frozenset({0x05, 0x06})
_EXIT: Final = 0x95
_WRITES: Final = frozenset({0x00, 0x01, 0x04, 0x07})
"""Classes of instructions whose destination is a register: loads and arithmetic."""


def helper_calls(instructions: bytes) -> Iterator[tuple[int, int | None]]:
    """(helper id, map index) of all calls of helpers; the map that is plainly the first argument.

    Of one that comes from the stack, or by two ways, the index is None, as it is of no map.
    """
    decoded = list(struct.iter_unpack("<BBhi", instructions))
    targets = _jump_targets(decoded)
    held: dict[int, int] = {}
    index = 0
    while index < len(decoded):
        opcode, registers, _, immediate = decoded[index]
        target, source = registers & 0xF, registers >> 4
        if index in targets:
            held.clear()
        if opcode == _LDDW and source == _MAP:
            held[target] = immediate
        elif opcode == _MOVE and source in held:
            held[target] = held[source]
        elif opcode == _CALL:
            if source == 0:
                yield immediate, held.get(1)
            for scratch in range(6):
                held.pop(scratch, None)
        elif opcode & 7 in _WRITES:
            held.pop(target, None)
        index += 2 if opcode == _LDDW else 1


def _jump_targets(decoded: list[tuple[int, int, int, int]]) -> set[int]:
    """Where control may come from elsewhere, functions included."""
    found: set[int] = set()
    for index, (opcode, registers, offset, immediate) in enumerate(decoded):
        if opcode & 7 not in _JUMPS or opcode == _EXIT:
            continue
        if opcode == _CALL:
            if registers >> 4 == 1:
                found.add(index + 1 + immediate)
        else:
            found.add(index + 1 + (immediate if opcode == 0x06 else offset))
    return found
