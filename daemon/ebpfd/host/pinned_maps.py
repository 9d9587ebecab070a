"""Maps that an object file wants pinned by their names: found, compared, and pinned anew.

A map that is there already is taken as it is, with what it holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ebpfd.errors import RequestError
from ebpfd.objects import MapObject, Objects, kind_of
from ebpfd.objects.pin_paths import path_by_name
from ebpfd_api.map_type import map_type_name
from ebpfd_api.result import Result
from ebpfd_vm import MapSpec

BY_NAME: Final = 1
"""``LIBBPF_PIN_BY_NAME``."""


def pinned_maps(objects: Objects, specs: Sequence[MapSpec]) -> dict[int, MapObject]:
    """Maps that are there for a file's declarations, by place.

    ``RequestError`` INVALID_ARGUMENT names the field in which one differs.
    """
    pins = objects.pins_by_path()
    found: dict[int, MapObject] = {}
    for index, spec in enumerate(specs):
        if spec.pinning == BY_NAME and (there := pins.get(path_by_name(spec.name))):
            if not isinstance(there, MapObject):
                problem = f"there is {kind_of(there)} {there.id}, which is no map"
                raise _unlike(spec, problem)
            for field, has, declared in _compared(there, spec, specs):
                if has != declared:
                    problem = f"map {there.id} has {field} {has}, the file declares {declared}"
                    raise _unlike(spec, problem)
            found[index] = there
    return found


def pin_maps(
    objects: Objects,
    specs: Sequence[MapSpec],
    file_maps: Sequence[MapObject],
    reused: Mapping[int, MapObject],
) -> list[str]:
    """Pin those that were not there; their paths."""
    made = {each.name: each for each in file_maps if each not in reused.values()}
    return [
        objects.pin(path_by_name(spec.name), made[spec.name])
        for index, spec in enumerate(specs)
        if spec.pinning == BY_NAME and index not in reused
    ]


def _compared(
    there: MapObject, spec: MapSpec, specs: Sequence[MapSpec]
) -> Iterator[tuple[str, object, object]]:
    """What must be equal: its name, what the map has, and what the file declares."""
    live = there.map
    shape = there.custom.shape if there.custom is not None else live
    yield "type", map_type_name(shape.type), map_type_name(spec.type)
    yield "key_size", shape.key_size, spec.key_size
    yield "value_size", shape.value_size, spec.value_size
    yield "max_entries", shape.max_entries, spec.max_entries
    inner = None if spec.inner is None else specs[spec.inner]
    if live.inner is not None and inner is not None:
        number, key_size, value_size, max_entries = live.inner
        yield "inner type", map_type_name(number), map_type_name(inner.type)
        yield "inner key_size", key_size, inner.key_size
        yield "inner value_size", value_size, inner.value_size
        yield "inner max_entries", max_entries, inner.max_entries


def _unlike(spec: MapSpec, problem: str) -> RequestError:
    path = path_by_name(spec.name)
    message = (
        f"map {spec.name} is pinned by its name, and at {path} {problem}: "
        "unpin that, or declare the same"
    )
    return RequestError(Result.INVALID_ARGUMENT, message)
