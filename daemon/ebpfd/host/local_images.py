"""What a process must have to run a link's program itself, or why it cannot."""

from dataclasses import dataclass
from typing import Final

from ebpfd.errors import RequestError
from ebpfd.host.map_uses import helper_calls
from ebpfd.host.modules import Module
from ebpfd.host.program_elements import WRITING
from ebpfd.objects import MapObject, Program
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from ebpfd_vm import EngineError

MAX_DESCRIPTORS: Final = 240
"""Of maps and gates, in a message, with some to spare: the system passes 253."""


@dataclass(frozen=True, slots=True)
class LocalImage:
    """A program with those that tail calls lead to, as bytes, and what it wants beside."""

    data: bytes
    programs: tuple[Program, ...]
    """The one that is run, then the others."""

    maps: tuple[MapObject, ...]
    """Those whose files it has, in the order that the image wants."""

    arrays: tuple[MapObject, ...]
    """Of which it has the programs as they are now."""


def image_of(program: Program, module: Module) -> LocalImage:
    """The image of *program* for the process of *module*; ``RequestError`` says why not."""
    programs, arrays = _led_to(program)
    for each in programs:
        _check(each, module)
    for array in arrays:
        for name in array.emptiers.values():
            message = f"program {name} may take programs out of {array.name}"
            raise refusal(f"{message}, and the hook's process would not know")
    first, *others = (each.engine for each in programs)
    try:
        data, places = first.image(others)
    except EngineError as error:
        raise refusal(error.message) from None
    maps = tuple(_used(programs[number])[place] for number, place in places)
    descriptors = len(others) + len(maps) + sum(each.map.has_records for each in maps)
    if descriptors > MAX_DESCRIPTORS:
        message = f"its maps take {descriptors} descriptors: {MAX_DESCRIPTORS} can be handed over"
        raise refusal(message)
    return LocalImage(data, programs, maps, arrays)


def refusal(why: str) -> RequestError:
    """Why the daemon runs the link."""
    return RequestError(Result.OPERATION_NOT_SUPPORTED, why)


def _led_to(program: Program) -> tuple[tuple[Program, ...], tuple[MapObject, ...]]:
    """*program* and all that a run of it can come to, and the arrays on its ways."""
    programs, arrays = [program], list[MapObject]()
    for each in programs:  # which grows
        for array in each.maps:
            if array.map.type == MapType.PROG_ARRAY and array not in arrays:
                arrays.append(array)
                held = (one for one in array.held.values() if isinstance(one, Program))
                programs += [one for one in dict.fromkeys(held) if one not in programs]
    return tuple(programs), tuple(arrays)


def note_emptied(program: Program) -> None:
    """Arrays that *program* may take others out of, which nobody is told of, stay here alone."""
    used = _used(program)
    arrays = [each for each in program.maps if each.map.type == MapType.PROG_ARRAY]
    for helper_id, place in helper_calls(program.spec.instructions):
        if helper_id in WRITING:
            for each in arrays if place is None else [used[place]]:
                if each in arrays:
                    each.emptiers[program.id] = program.name
                    each.take_back()


def _check(program: Program, module: Module) -> None:
    if custom := next((each for each in program.maps if each.custom is not None), None):
        raise refusal(f"map {custom.name} is of a type that an extension provides")
    if program.provider.owner is not module:
        raise refusal("another extension provides its program type")


def _used(program: Program) -> dict[int, MapObject]:
    """Its maps by their places in its object."""
    return dict(zip(program.spec.map_indices, program.maps, strict=True))
