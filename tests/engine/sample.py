"""The sample program type, and the engine's programs made ready to run."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import ebpfd_vm
from ebpfd_vm.sharing import Gate, sealed
from tests.conformance import elf
from tests.conformance.assembler import assemble

_PROGRAMS: Final = Path(__file__).parents[2] / "daemon" / "vm" / "tests" / "programs"

CONTEXT_SIZE: Final = 32
_NUMBER_AT: Final = 16
_HASH, _PROG_ARRAY, _OF_MAPS = 1, 3, {6, 7}

Callback = Callable[
    [int, list[int | bytes | ebpfd_vm.Map | None], bytes],
    tuple[int, list[tuple[int, bytes]]],
]


@dataclass(frozen=True, slots=True)
class Context:
    """The sample context's size, and where its pointers are."""

    size: int = CONTEXT_SIZE
    data: int = 0
    end: int = 8
    meta: int = -1


@dataclass(frozen=True, slots=True)
class Helper:
    """A helper that programs of the type may call."""

    helper_id: int
    name: str
    arguments: tuple[int, ...]
    return_type: int = 0
    reallocate_packet: bool = False
    implicit_context: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function that programs may import."""

    module: UUID
    name: str
    arguments: tuple[int, ...]
    return_type: int = 0
    reallocate_packet: bool = False


@dataclass(frozen=True, slots=True)
class Information:
    """The sample program type, or a variant of it."""

    name: str = "sample"
    context: Context = Context()
    is_privileged: bool = False
    helpers: tuple[Helper, ...] = (
        Helper(0x10000, "first", (4,)),
        Helper(0x10001, "find", (9, 2, 9, 2)),
        Helper(0x10002, "replace", (11, 2, 1, 9, 2)),
        Helper(0x10003, "implicit_1", ()),
        Helper(0x10004, "implicit_2", (1,)),
        Helper(0x10006, "map_get_value", (5, 7, 11, 2)),
    )
    functions: tuple[Function, ...] = ()
    writable: tuple[tuple[int, int], ...] = ((16, 16),)
    program_type: bytes = b""


INFORMATION: Final = Information()


def load(
    of: str,
    name: str,
    *,
    helper: Callback | None = None,
    local: Mapping[int, Callback] | None = None,
    functions: tuple[Function, ...] = (),
) -> tuple[ebpfd_vm.Program, dict[str, ebpfd_vm.Map]]:
    """Program *name* of an object, with its maps by their names."""
    parsed = ebpfd_vm.parse_object(object_file(of))
    maps = [live(each) for each in parsed.maps]
    spec = next(each for each in parsed.programs if each.name == name)
    information = Information(functions=functions)
    program = ebpfd_vm.Program(spec, maps, information, helper=helper, local=local)
    return program, {each.name: each for each in maps}


def object_file(name: str) -> bytes:
    """One of the engine's own test objects."""
    return (_PROGRAMS / f"{name}.o").read_bytes()


def live(spec: ebpfd_vm.MapSpec, *, shared: bool = False) -> ebpfd_vm.Map:
    """A live map; one of maps, which there are none for, becomes a HASH.

    If it is *shared*, other processes can have it: unless programs only read it, or are in it.
    """
    return ebpfd_vm.Map(
        _HASH if spec.type in _OF_MAPS else spec.type,
        spec.key_size,
        spec.value_size,
        spec.max_entries,
        name=spec.name,
        flags=spec.flags,
        initial=spec.initial,
        read_only=spec.read_only,
        shared=shared and not spec.read_only and spec.type != _PROG_ARRAY,
    )


def assembled(assembly: str) -> ebpfd_vm.ProgramSpec:
    """The program of these instructions, which are one function."""
    (spec,) = ebpfd_vm.parse_object(elf.object_file(assemble(assembly).code, [0])).programs
    return spec


def handed_over(program: ebpfd_vm.Program, gate: Gate) -> ebpfd_vm.Program:
    """A program without maps, as the process has it that was given the gate."""
    image = sealed(program.image()[0])
    try:
        return ebpfd_vm.Program.of_image(image, [], gate)
    finally:
        os.close(image)


def context(number: int) -> bytes:
    """A sample context whose number is *number*."""
    return bytes(_NUMBER_AT) + number.to_bytes(CONTEXT_SIZE - _NUMBER_AT, "little")
