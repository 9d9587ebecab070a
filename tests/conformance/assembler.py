"""An assembler for test vectors: text to the eight-byte slots of RFC 9669.

    word ...  operand, ...        # comment
    label:

Instructions come from the table ``forms.FORMS``.  Whether a program makes sense
is the engine's business: jumps may lead anywhere and r10 may be written.  Two
rules are less than obvious:

- the first ``exit`` is also a label of that name, unless the text defines one;
- the target of a jump is a label, or a distance in slots with its sign.
"""

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from tests.conformance.forms import FORMS, SOURCE_REGISTER, Form, Operand

SLOT_SIZE: Final = 8


class AssemblyError(ValueError):
    """A line is no instruction."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


@dataclass(frozen=True, slots=True)
class Assembly:
    """A program, and the slots that are called, where functions should begin; 0 is the first."""

    code: bytes
    functions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Instruction:
    """The fields of an instruction; only a ``lddw`` has an *imm* of 64 bits."""

    opcode: int
    dst: int
    src: int
    offset: int
    imm: int


@dataclass(frozen=True, slots=True)
class _Statement:
    """A line that is an instruction, and its place in the program."""

    line: int
    pc: int
    form: Form
    operands: tuple[str, ...]


_Labels = Mapping[str, int]
_LONGEST_MNEMONIC: Final = max(len(mnemonic.split()) for mnemonic in FORMS)


def assemble(text: str, *, first_line: int = 1) -> Assembly:
    """Assemble *text*; errors count its lines from *first_line*."""
    statements, labels = _parse(text, first_line)
    instructions = [_encode(statement, labels) for statement in statements]
    called = {
        statement.pc + 1 + instruction.imm
        for statement, instruction in zip(statements, instructions, strict=True)
        if statement.form is FORMS["call local"]
    }
    return Assembly(b"".join(map(_pack, instructions)), tuple(sorted(called | {0})))


def _parse(text: str, first_line: int) -> tuple[list[_Statement], _Labels]:
    """Find every instruction's form and place, and the places of the labels."""
    statements: list[_Statement] = []
    labels: dict[str, int] = {}
    first_exit: dict[str, int] = {}
    pc = 0
    for line, content in enumerate(text.splitlines(), first_line):
        source = content.partition("#")[0].strip()
        if not source:
            continue
        if label := re.fullmatch(r"(\w+)\s*:", source):
            if label[1] in labels:
                raise AssemblyError(line, f"label {label[1]!r} is already defined")
            labels[label[1]] = pc
            continue
        statement = _statement(source, line, pc)
        if statement.form is FORMS["exit"]:
            first_exit.setdefault("exit", pc)
        statements.append(statement)
        pc += statement.form.slots
    return statements, first_exit | labels


def _statement(source: str, line: int, pc: int) -> _Statement:
    """Tell the mnemonic, the longest one that fits, from the operands."""
    words = source.split()
    for count in range(min(_LONGEST_MNEMONIC, len(words)), 0, -1):
        mnemonic = " ".join(words[:count])
        form = FORMS.get(mnemonic)
        if form is None:
            continue
        rest = "".join(words[count:])
        operands = tuple(rest.split(",")) if rest else ()
        if len(operands) != len(form.operands):
            wanted = ", ".join(operand.name for operand in form.operands) or "none"
            raise AssemblyError(line, f"{mnemonic} wants other operands: {wanted}")
        return _Statement(line, pc, form, operands)
    raise AssemblyError(line, f"unknown mnemonic {words[0]!r}")


def _encode(statement: _Statement, labels: _Labels) -> _Instruction:
    """Read the operands into the fields that they stand for."""
    form = statement.form
    instruction = _Instruction(form.opcode, 0, form.src, form.offset, form.imm)
    try:
        for operand, text in zip(form.operands, statement.operands, strict=True):
            if operand in {Operand.NEAR, Operand.FAR}:
                distance = _distance(text, statement.pc, labels)
                instruction = _TARGETS[operand](instruction, distance)
            else:
                instruction = _READERS[operand](instruction, text)
    except ValueError as error:
        raise AssemblyError(statement.line, str(error)) from None
    return instruction


def _pack(instruction: _Instruction) -> bytes:
    """Lay out one instruction, in one or two slots."""
    registers = instruction.src << 4 | instruction.dst
    offset, imm = instruction.offset & 0xFFFF, instruction.imm & 0xFFFF_FFFF
    slot = struct.pack("<BBHI", instruction.opcode, registers, offset, imm)
    if instruction.opcode != FORMS["lddw"].opcode:
        return slot
    return slot + struct.pack("<II", 0, instruction.imm >> 32 & 0xFFFF_FFFF)


def _register(text: str) -> int:
    found = re.fullmatch(r"%r(\d|1[0-5])", text)
    if found is None:
        raise ValueError(f"{text!r} is no register")
    return int(found[1])


def _number(text: str, bits: int) -> int:
    """Read a number that fits into *bits*, as a signed or as an unsigned one."""
    try:
        number = int(text, 0)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None
    return _fitting(number, -(1 << bits - 1), (1 << bits) - 1)


def _fitting(number: int, least: int, most: int) -> int:
    if not least <= number <= most:
        raise ValueError(f"{number} is not between {least} and {most}")
    return number


def _place(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"\[(%r\d+)([+-]\w+)?\]", text)
    if found is None:
        raise ValueError(f"{text!r} is no place in memory, as in [%r1+8]")
    return _register(found[1]), _fitting(_number(found[2] or "0", 16), -(1 << 15), (1 << 15) - 1)


def _distance(text: str, pc: int, labels: _Labels) -> int:
    if text.startswith(("+", "-")):
        return _number(text, 32)
    if text not in labels:
        raise ValueError(f"no label {text!r}")
    return labels[text] - pc - 1


def _register_or_imm(instruction: _Instruction, text: str, field: str) -> _Instruction:
    if not text.startswith("%"):
        return replace(instruction, imm=_number(text, 32))
    opcode = instruction.opcode | SOURCE_REGISTER
    if field == "dst":
        return replace(instruction, opcode=opcode, dst=_register(text))
    return replace(instruction, opcode=opcode, src=_register(text))


def _dst_place(instruction: _Instruction, text: str) -> _Instruction:
    dst, offset = _place(text)
    return replace(instruction, dst=dst, offset=offset)


def _src_place(instruction: _Instruction, text: str) -> _Instruction:
    src, offset = _place(text)
    return replace(instruction, src=src, offset=offset)


def _near(instruction: _Instruction, distance: int) -> _Instruction:
    return replace(instruction, offset=_fitting(distance, -(1 << 15), (1 << 15) - 1))


_READERS: Final[Mapping[Operand, Callable[[_Instruction, str], _Instruction]]] = MappingProxyType(
    {
        Operand.DST: lambda instruction, text: replace(instruction, dst=_register(text)),
        Operand.SRC: lambda instruction, text: replace(instruction, src=_register(text)),
        Operand.SRC_OR_IMM: lambda instruction, text: _register_or_imm(instruction, text, "src"),
        Operand.DST_OR_IMM: lambda instruction, text: _register_or_imm(instruction, text, "dst"),
        Operand.IMM: lambda instruction, text: replace(instruction, imm=_number(text, 32)),
        Operand.IMM64: lambda instruction, text: replace(instruction, imm=_number(text, 64)),
        Operand.DST_PLACE: _dst_place,
        Operand.SRC_PLACE: _src_place,
    }
)
_TARGETS: Final[Mapping[Operand, Callable[[_Instruction, int], _Instruction]]] = MappingProxyType(
    {
        Operand.NEAR: _near,
        Operand.FAR: lambda instruction, distance: replace(instruction, imm=distance),
    }
)
