"""Which instruction our own vectors execute, as a table for people and for a test.

    python -m tests.conformance.coverage     # writes the table into own/README.md

An instruction counts as covered where a vector with a result contains it.  What
instructions there are, the engine itself says: every one that it accepts.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import ebpfd_vm
from tests.conformance.assembler import SLOT_SIZE, assemble
from tests.conformance.elf import object_file
from tests.conformance.execution import INFORMATION
from tests.conformance.forms import FORMS, SOURCE_REGISTER, Form, Operand
from tests.conformance.vectors import read_vector

OWN: Final = Path(__file__).parent / "own"
README: Final = OWN / "README.md"
_START: Final = "<!-- table -->\n"
_LDDW: Final = FORMS["lddw"].opcode
_EXIT: Final = bytes([FORMS["exit"].opcode, 0, 0, 0, 0, 0, 0, 0])
_SLOT: Final = struct.Struct("<BBhi")
_OPCODES: Final = range(256)
_OFFSETS: Final = (0, 1, 8, 16, 32)
"""All that select an operation; as the distance of a jump, 0."""
_IMMEDIATES: Final = (0, 16, 32, 64, *{form.imm for form in FORMS.values()} - {0, 16, 32, 64})


def instructions(code: bytes) -> set[str]:
    """The names of all instructions in *code*."""
    found: set[str] = set()
    at = 0
    while at < len(code):
        opcode, registers, offset, imm = _SLOT.unpack_from(code, at)
        found.add(_name(opcode, registers >> 4, offset, imm))
        at += SLOT_SIZE * (2 if opcode == _LDDW else 1)
    return found


def covered() -> Mapping[str, list[str]]:
    """Every instruction of our own vectors, with the vectors that execute it."""
    table: dict[str, list[str]] = {}
    for path in sorted(OWN.glob("*.data")):
        vector = read_vector(path)
        if vector.result is not None:
            code = assemble(vector.assembly, first_line=vector.assembly_line).code
            for name in instructions(code):
                table.setdefault(name, []).append(path.stem)
    return table


def accepted() -> set[str]:
    """Every instruction that the engine runs, found by offering it all of them."""
    return {
        _name(opcode, src, offset, imm)
        for opcode in _OPCODES
        for src, offset, imm in _variants(opcode)
        if _is_accepted(opcode, src, offset, imm)
    }


def table() -> str:
    """The table of the README: three vectors at most for each instruction."""
    lines = ["| instruction | vectors |", "|---|---|"]
    for name, vectors in sorted(covered().items()):
        # The vectors that test little else say most.
        named = [vector for vector in vectors if name.split()[0].rstrip("0123456789") in vector]
        chosen = (named + [vector for vector in vectors if vector not in named])[:3]
        more = f" and {len(vectors) - 3} more" if len(vectors) > 3 else ""
        lines.append(f"| {name} | {', '.join(chosen)}{more} |")
    return "\n".join(lines) + "\n"


def written() -> str:
    """The table that the README has."""
    return README.read_text("utf-8").partition(_START)[2]


def _name(opcode: int, src: int, offset: int, imm: int) -> str:
    """Mnemonic, and which kind of second operand."""
    for mnemonic, form in FORMS.items():
        if _means(form, opcode, src, offset, imm):
            variable = {Operand.SRC_OR_IMM, Operand.DST_OR_IMM} & set(form.operands)
            kind = "register" if opcode & SOURCE_REGISTER else "immediate"
            return f"{mnemonic} {kind}" if variable else mnemonic
    return f"opcode {opcode:#04x} src {src} offset {offset} imm {imm}"


def _means(form: Form, opcode: int, src: int, offset: int, imm: int) -> bool:
    """Whether an instruction is of this form; only fields that no operand fills count."""
    operands = set(form.operands)
    optional = SOURCE_REGISTER if operands & {Operand.SRC_OR_IMM, Operand.DST_OR_IMM} else 0
    if opcode & ~optional != form.opcode:
        return False
    if not operands & {Operand.SRC, Operand.SRC_OR_IMM, Operand.SRC_PLACE} and src != form.src:
        return False
    places = {Operand.DST_PLACE, Operand.SRC_PLACE, Operand.NEAR}
    if not operands & places and offset != form.offset:
        return False
    values = {Operand.SRC_OR_IMM, Operand.DST_OR_IMM, Operand.IMM, Operand.IMM64, Operand.FAR}
    return bool(operands & values) or imm == form.imm


def _variants(opcode: int) -> Iterator[tuple[int, int, int]]:
    """Sources, offsets and immediates that could make another instruction of it."""
    for src in (0, 1, 2):
        for offset in _OFFSETS:
            for imm in _IMMEDIATES:
                yield src, offset, imm


def _is_accepted(opcode: int, src: int, offset: int, imm: int) -> bool:
    """Whether a program with this instruction is one."""
    code = _SLOT.pack(opcode, src << 4, offset, imm)
    if opcode == _LDDW:
        code += bytes(SLOT_SIZE)
    # Room for every distance that is tried, and a function for every call.
    padding = 64
    functions = [0]
    if opcode == FORMS["call local"].opcode and src == 1 and imm < padding:
        functions.append(1 + imm)
    code += _EXIT * padding
    try:
        programs = ebpfd_vm.parse_object(object_file(code, functions)).programs
        ebpfd_vm.Program(programs[-1], [], INFORMATION)
    except ebpfd_vm.EngineError:
        return False
    return True


if __name__ == "__main__":
    text = README.read_text("utf-8").partition(_START)[0]
    README.write_text(text + _START + table(), "utf-8")
