"""The maps of an object file, live: made at load, and filled with what their declarations say."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from ebpfd.errors import RequestError
from ebpfd.host.custom_maps import CustomMaps
from ebpfd.host.new_custom_maps import is_custom, unwritable
from ebpfd.host.new_maps import NewMaps
from ebpfd.objects import MapObject, Objects, Program
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from ebpfd_vm import Map, MapSpec

_Named = TypeVar("_Named")


def create_maps(
    specs: Sequence[MapSpec], existing: Mapping[int, Map], new_maps: NewMaps
) -> list[Map]:
    """A map for each declaration, and for templates of inner maps; *existing* has some by place."""
    return [
        existing[index] if index in existing else _create(spec, specs, new_maps)
        for index, spec in enumerate(specs)
    ]


async def create_custom_maps(
    custom: CustomMaps, specs: Sequence[MapSpec], reused: Collection[int]
) -> dict[int, MapObject]:
    """The maps, by place, whose types extensions provide: all but *reused*, or an error."""
    for spec in specs:
        if spec.inner is not None and is_custom(specs[spec.inner].type):
            message = f"map {spec.name}: maps of a custom type cannot be in a map of maps"
            raise RequestError(Result.INVALID_ARGUMENT, message)
    made: dict[int, MapObject] = {}
    try:
        for index, spec in enumerate(specs):
            if is_custom(spec.type) and index not in reused:
                made[index] = await custom.create(spec)
    except BaseException:
        await end_custom_maps(custom, made)
        raise
    return made


async def end_custom_maps(custom: CustomMaps, made: Mapping[int, MapObject]) -> None:
    """Give up what a load that failed has made."""
    for map_object in made.values():
        await custom.end(map_object)


def users_maps(specs: Sequence[MapSpec], maps: Sequence[MapObject]) -> tuple[MapObject, ...]:
    """The maps that a file declares for its users too: no data sections, no mere templates."""
    templates = {
        spec.inner
        for spec in specs
        # The loader names them so; no declaration in C can have such a name.
        if spec.inner is not None and specs[spec.inner].name == f"{spec.name}.inner"
    }
    return tuple(
        map_object
        for index, (spec, map_object) in enumerate(zip(specs, maps, strict=True))
        if spec.initial is None and index not in templates
    )


def fill_maps(
    objects: Objects,
    specs: Sequence[MapSpec],
    maps: Sequence[MapObject],
    programs: Sequence[Program],
    reused: Collection[int],
) -> None:
    """Put the programs and maps that declarations name under their indices, but for *reused*."""
    loaded = {program.name: program for program in programs}
    declared = {spec.name: each for spec, each in zip(specs, maps, strict=True)}
    made = [
        (spec, each)
        for place, (spec, each) in enumerate(zip(specs, maps, strict=True))
        if place not in reused
    ]
    try:
        for spec, container in made:
            for index, name in spec.values:
                key = index.to_bytes(4, "little")
                if spec.type == MapType.PROG_ARRAY:
                    program = _named(loaded, name, spec)
                    container.map.set_program(key, program.engine, program.id)
                    objects.hold(container, key, program)
                else:
                    inner = _plain(_named(declared, name, spec), spec)
                    container.map.set_map(key, inner.map, inner.id)
                    objects.hold(container, key, inner)
    except BaseException:
        for _, each in made:  # or a program in its own program array would keep both for ever
            each.map.clear_objects()
            objects.settle(each)
        raise


def _create(spec: MapSpec, specs: Sequence[MapSpec], new_maps: NewMaps) -> Map:
    if is_custom(spec.type):
        return unwritable(spec, spec.name)  # none of its programs use it
    return new_maps.of_file(spec, specs)


def _plain(inner: MapObject, spec: MapSpec) -> MapObject:
    if inner.custom is not None:
        message = f"map {spec.name} holds {inner.name}, whose type is a custom one"
        raise RequestError(Result.INVALID_OBJECT, message)
    return inner


def _named(known: Mapping[str, _Named], name: str, spec: MapSpec) -> _Named:
    if name in known:
        return known[name]
    raise RequestError(
        Result.INVALID_ARGUMENT,
        f'map {spec.name} holds "{name}" by its declaration: load that too',
    )
