"""The instructions of RFC 9669 in the words of the test vectors, as one table.

``FORMS`` says what each mnemonic means.  A form is an opcode, the operands
that a line must name, and the fields that the mnemonic says by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

SOURCE_REGISTER: Final = 0x08
_LD, _LDX, _ST, _STX, _ALU, _JMP, _JMP32, _ALU64 = range(8)
_MEM, _MEMSX, _ATOMIC = 0x60, 0x80, 0xC0
_LOCAL: Final = 1


class Operand(Enum):
    """What a line names, by the field that holds it."""

    DST = auto()
    SRC = auto()
    SRC_OR_IMM = auto()
    DST_OR_IMM = auto()
    IMM = auto()
    IMM64 = auto()
    DST_PLACE = auto()
    SRC_PLACE = auto()
    NEAR = auto()
    """The target of a jump, in the offset."""
    FAR = auto()
    """The target of a jump, in the immediate."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a mnemonic stands for: the operands that follow, and what it says by itself."""

    operands: tuple[Operand, ...]
    opcode: int
    src: int = 0
    offset: int = 0
    imm: int = 0

    @property
    def slots(self) -> int:
        """How many slots the instruction takes."""
        return 2 if Operand.IMM64 in self.operands else 1


_ALU_OPERATIONS: Final = MappingProxyType({
    "add": (0x00, 0), "sub": (0x10, 0), "mul": (0x20, 0), "div": (0x30, 0), "sdiv": (0x30, 1),
    "or": (0x40, 0), "and": (0x50, 0), "lsh": (0x60, 0), "rsh": (0x70, 0), "mod": (0x90, 0),
    "smod": (0x90, 1), "xor": (0xA0, 0), "mov": (0xB0, 0), "arsh": (0xC0, 0),
})  # fmt: skip
_CONDITIONS: Final = MappingProxyType({
    "jeq": 0x10, "jgt": 0x20, "jge": 0x30, "jset": 0x40, "jne": 0x50, "jsgt": 0x60,
    "jsge": 0x70, "jlt": 0xA0, "jle": 0xB0, "jslt": 0xC0, "jsle": 0xD0,
})  # fmt: skip
_SIZES: Final = MappingProxyType({"w": 0x00, "h": 0x08, "b": 0x10, "dw": 0x18})
_ATOMICS: Final = MappingProxyType({
    "add": 0x00, "or": 0x40, "and": 0x50, "xor": 0xA0,
    "fetch add": 0x01, "fetch or": 0x41, "fetch and": 0x51, "fetch xor": 0xA1,
    "xchg": 0xE1, "cmpxchg": 0xF1,
})  # fmt: skip
_BYTE_ORDERS: Final = MappingProxyType(
    {
        "le": _ALU | 0xD0,
        "be": _ALU | 0xD0 | SOURCE_REGISTER,
        "swap": _ALU64 | 0xD0,
        "bswap": _ALU64 | 0xD0,
    }
)


def _arithmetic() -> Iterator[tuple[str, Form]]:
    """RFC 9669 section 4.1 and 4.2."""
    operands = (Operand.DST, Operand.SRC_OR_IMM)
    for suffix, group in (("", _ALU64), ("32", _ALU)):
        for name, (operation, offset) in _ALU_OPERATIONS.items():
            yield name + suffix, Form(operands, group | operation, offset=offset)
        yield "neg" + suffix, Form((Operand.DST,), group | 0x80)
    for group, target, sources in ((_ALU64, 64, (8, 16, 32)), (_ALU, 32, (8, 16))):
        opcode = group | 0xB0 | SOURCE_REGISTER
        for source in sources:
            form = Form((Operand.DST, Operand.SRC), opcode, offset=source)
            yield f"movsx{source}{target}", form
    for name, opcode in _BYTE_ORDERS.items():
        for width in (16, 32, 64):
            yield f"{name}{width}", Form((Operand.DST,), opcode, imm=width)


def _jumps() -> Iterator[tuple[str, Form]]:
    """RFC 9669 section 4.3; a call through a register is refused by the engine."""
    operands = (Operand.DST, Operand.SRC_OR_IMM, Operand.NEAR)
    for suffix, group in (("", _JMP), ("32", _JMP32)):
        for name, operation in _CONDITIONS.items():
            yield name + suffix, Form(operands, group | operation)
    yield "ja", Form((Operand.NEAR,), _JMP)
    yield "ja32", Form((Operand.FAR,), _JMP32)
    yield "call", Form((Operand.DST_OR_IMM,), _JMP | 0x80)
    yield "call local", Form((Operand.FAR,), _JMP | 0x80, src=_LOCAL)
    yield "exit", Form((), _JMP | 0x90)


def _memory() -> Iterator[tuple[str, Form]]:
    """RFC 9669 section 5."""
    yield "lddw", Form((Operand.DST, Operand.IMM64), _LD | _SIZES["dw"])
    load = (Operand.DST, Operand.SRC_PLACE)
    store = (Operand.DST_PLACE, Operand.SRC)
    for suffix, size in _SIZES.items():
        yield "ldx" + suffix, Form(load, _LDX | _MEM | size)
        yield "st" + suffix, Form((Operand.DST_PLACE, Operand.IMM), _ST | _MEM | size)
        yield "stx" + suffix, Form(store, _STX | _MEM | size)
        if suffix != "dw":
            yield "ldxs" + suffix, Form(load, _LDX | _MEMSX | size)
    for suffix, width in (("", "dw"), ("32", "w")):
        for name, operation in _ATOMICS.items():
            opcode = _STX | _ATOMIC | _SIZES[width]
            yield f"lock {name}{suffix}", Form(store, opcode, imm=operation)


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    dict([*_arithmetic(), *_jumps(), *_memory()]),
)
