"""What a program reaches, as it is at this moment: for a recording that begins."""

from collections.abc import Iterable, Iterator
from typing import Final

from ebpfd.errors import RequestError
from ebpfd.objects import MapObject, Program
from ebpfd.objects.recordings import RecordedMap, RecordedMapEntries
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result

MAX_BYTES: Final = 64 << 20
"""Of keys and values: copying them takes some ten milliseconds, and hooks wait for it."""

PAGE_BYTES: Final = 1 << 20

_RINGS: Final = frozenset({MapType.RINGBUF, MapType.PERF_EVENT_ARRAY})
_QUEUES: Final = frozenset({MapType.QUEUE, MapType.STACK})


def reached(*objects: Program | MapObject) -> list[MapObject]:
    """The maps that programs and maps reach, also by what they hold, and the maps themselves."""
    found: dict[int, MapObject] = {}
    left: list[MapObject | Program] = list(objects)
    while left:
        each = left.pop()
        if isinstance(each, Program):
            left.extend(used for used in each.maps if used.id not in found)
        elif each.id not in found:
            found[each.id] = each
            left.extend(each.held.values())
    return list(found.values())


def check_types(maps: Iterable[MapObject]) -> None:
    """Refuse maps of a custom type: ``RequestError`` OPERATION_NOT_SUPPORTED."""
    for each in maps:
        if each.custom is not None:
            message = f"map {each.id} ({each.name}) is of an extension's type: only it has the data"
            raise RequestError(Result.OPERATION_NOT_SUPPORTED, message)


def check_size(of: str, maps: Iterable[MapObject]) -> None:
    """Refuse what would take too long to be copied: ``RequestError`` NO_MEMORY."""
    total = sum(_bytes(each) for each in maps)
    if total > MAX_BYTES:
        raise _too_large(f"maps of {of} hold {total} bytes")


def _too_large(what: str) -> RequestError:
    message = f"{what}, more than the {MAX_BYTES} that are copied while hooks wait"
    return RequestError(Result.NO_MEMORY, message)


def contents(map_object: MapObject) -> Iterator[RecordedMap | RecordedMapEntries]:
    """A map and what is in it."""
    live = map_object.map
    yield RecordedMap(
        map_object.id,
        live.name,
        live.type,
        live.key_size,
        live.value_size,
        live.max_entries,
        live.flags,
        live.read_only,
        live.inner,
        without_entries=live.type in _QUEUES and live.count != 0,
    )
    if map_object.is_container:
        # What a program has deleted is noticed later, so the map itself is asked what is there.
        there = live.entries(None, live.max_entries)
        keys = [key for key, number in there if int.from_bytes(number, "little")]
        held = [map_object.held[key] for key in keys]
        names = tuple(each.name for each in held if isinstance(each, Program))
        ids = [each.id.to_bytes(4, "little") for each in held if isinstance(each, MapObject)]
        yield RecordedMapEntries(map_object.id, b"".join(keys), b"".join(ids), names)
    elif live.type not in _RINGS | _QUEUES:
        yield from _pages(map_object)


def _pages(map_object: MapObject) -> Iterator[RecordedMapEntries]:
    live = map_object.map
    size = live.key_size + live.user_value_size
    after, left = None, MAX_BYTES
    while entries := live.entries(after, max(1, PAGE_BYTES // size)):
        keys, values = zip(*entries, strict=True)
        after = keys[-1]
        left -= size * len(keys)
        if left < 0:
            raise _too_large(f"map {map_object.id} holds more bytes than it says")
        yield RecordedMapEntries(map_object.id, b"".join(keys), b"".join(values))


def _bytes(map_object: MapObject) -> int:
    live = map_object.map
    entries = live.max_entries if live.count is None else live.count
    if live.type in _RINGS | _QUEUES:
        return 0
    return entries * (live.key_size + live.user_value_size)
