"""One vector, run by the engine: all 64 bits of r0, or why there are none.

A vector wants r1 = memory and r2 = its length; the engine gives r1 = context
and returns 32 bits.  So the vector becomes a local function of a program that
translates both ways, through a context of its own:

    context:  | data @0 | end @8 | r0 of the vector @16 |
    frames:   the program has the first of eight, the vector the second

The verifier has no part in it: vectors may do what it refuses.  So only the
checked interpreter runs them all; what is given to the JIT, as if our own judge
had proved it, must stay in its memory.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import ebpfd_vm
from tests.conformance.assembler import SLOT_SIZE, assemble
from tests.conformance.elf import PROGRAM, object_file
from tests.conformance.vectors import Vector
from tests.engine.sample import Context, Information

Executor: TypeAlias = Literal["interpreter", "jit"]

_WITH_MEMORY: Final = """
    mov %r6, %r1
    ldxdw %r2, [%r1+8]
    ldxdw %r1, [%r1+0]
    sub %r2, %r1
    call local +3
    stxdw [%r6+16], %r0
    mov %r0, 0
    exit
"""
_WITHOUT_MEMORY: Final = """
    mov %r6, %r1
    mov %r1, 0
    mov %r2, 0
    call local +3
    stxdw [%r6+16], %r0
    mov %r0, 0
    exit
"""
_R0_AT: Final = 16
_UNBOUNDED: Final = 2**64 - 1
"""A worst case beyond any budget: the vector is metered."""

INFORMATION: Final = Information("conformance", Context(24), helpers=(), writable=((_R0_AT, 8),))
"""A program type without helpers whose programs write where r0 goes: see above."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The engine refused the program, or ended it; in its own words."""

    message: str


def execute(vector: Vector, executor: Executor) -> int | Failure:
    """Run *vector* once: its r0, or its failure."""
    trace = ebpfd_vm.Trace()
    try:
        program = _load(vector, trace, executor)
    except ebpfd_vm.EngineError as error:
        return Failure(error.message)
    context = bytes(INFORMATION.context.size)
    code, _, context, _, _ = program.test_run(context, vector.memory, 0, 1)
    if code != 0:
        return Failure("\n".join(line.text for line in trace.drain()))
    return int.from_bytes(context[_R0_AT:], "little")


def _load(vector: Vector, trace: ebpfd_vm.Trace, executor: Executor) -> ebpfd_vm.Program:
    """Assemble the vector behind the program that calls it, and load both."""
    outer = assemble(_WITH_MEMORY if vector.memory else _WITHOUT_MEMORY)
    inner = assemble(vector.assembly, first_line=vector.assembly_line)
    code = outer.code + inner.code
    start = len(outer.code) // SLOT_SIZE
    called = (start + function for function in inner.functions)
    # What is called outside of the program is no function: the engine is to refuse it.
    functions = [0, *(function for function in called if 0 < function * SLOT_SIZE < len(code))]
    programs = ebpfd_vm.parse_object(object_file(code, functions)).programs
    spec = next(program for program in programs if program.name == PROGRAM)
    return ebpfd_vm.Program(
        spec,
        [],
        INFORMATION,
        trace=trace,
        verified=True,
        proved=_UNBOUNDED,
        execution=executor,
    )
