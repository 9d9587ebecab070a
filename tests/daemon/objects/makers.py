"""Objects around the engine's own, made without a daemon."""

from importlib.resources import files
from typing import Final

from ebpfd.contracts import contract_digest, engine_information
from ebpfd.objects import Link, MapObject, Program, ProgramSource, TypeProvider
from ebpfd_vm import Map, parse_object
from ebpfd_vm import Program as EngineProgram
from tests.daemon.contracts.samples import ATTACH_TYPE, SAMPLE

_COUNT: Final = (files("ebpfd_extensions.sample") / "programs" / "count.o").read_bytes()


def make_map(map_id: int = 3) -> MapObject:
    """The map of the counting program."""
    return MapObject(map_id, Map(1, 4, 8, 258, name="by_protocol"))


def make_program(program_id: int = 2, map_object: MapObject | None = None) -> Program:
    """The counting program; its provider is away until the rundown is reopened."""
    (spec,) = parse_object(_COUNT).programs
    counted = map_object or make_map()
    return Program(
        id=program_id,
        spec=spec,
        contract=SAMPLE,
        contract_digest=contract_digest(SAMPLE, spec.helper_ids),
        engine=EngineProgram(spec, [counted.map], engine_information(SAMPLE)),
        file_name="count.o",
        maps=(counted,),
        judge="nobody",
        provider=TypeProvider(),
        source=ProgramSource(_COUNT, 0),
    )


def make_link(program: Program, link_id: int = 4) -> Link:
    """A link of *program* to the sample's hook."""
    return Link(link_id, program, ATTACH_TYPE)
