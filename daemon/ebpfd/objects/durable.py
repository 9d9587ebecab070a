"""What survives the daemon: all that pins and legacy links reach.

    pin --> program, map, link       program --> maps that it uses; if the daemon has it, also those
    legacy link --> program                      that its file gives to users
                                     map of programs or maps --> what it holds, and programs whose
                                                 being loaded keeps it filled

A map of programs or maps without a user that survives comes back empty, since it would be emptied
when the last of its users goes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ebpfd.objects.links import Link, LinkState
from ebpfd.objects.maps import MapObject
from ebpfd.objects.pins import Object, Pins
from ebpfd.objects.programs import Program
from ebpfd.objects.users import DAEMON


@dataclass(frozen=True, slots=True)
class Without:
    """What is about to go: pins by path, links by id, what the daemon has no more by id."""

    paths: frozenset[str] = frozenset()
    links: frozenset[int] = frozenset()
    released: frozenset[int] = frozenset()


NOTHING: Final = Without()


@dataclass(frozen=True, slots=True)
class Durable:
    """Objects by id, ``entries`` by container and key, pins by path, and the last id given.

    ``owned`` are the ids of those that the daemon has.
    """

    programs: Mapping[int, Program] = field(default_factory=dict[int, Program])
    maps: Mapping[int, MapObject] = field(default_factory=dict[int, MapObject])
    links: Mapping[int, Link] = field(default_factory=dict[int, Link])
    entries: Mapping[tuple[int, bytes], int] = field(default_factory=dict[tuple[int, bytes], int])
    pins: Mapping[str, int] = field(default_factory=dict[str, int])
    owned: frozenset[int] = frozenset()
    last_id: int = 1


def durable(pins: Pins, links: Iterable[Link], last_id: int, without: Without = NOTHING) -> Durable:
    """All that survives now, or will when *without* has gone."""
    reached: dict[int, Object] = {}
    pinned = {
        path: each
        for path, each in pins.all().items()
        if path not in without.paths and each.id not in without.links
    }
    legacy = (each for each in links if is_legacy(each) and each.id not in without.links)
    ahead: list[Object] = [*pinned.values(), *legacy]
    while ahead:
        each = ahead.pop()
        if each.id not in reached:
            reached[each.id] = each
            ahead.extend(_reached_from(each, without))
    maps = {each.id: each for each in reached.values() if isinstance(each, MapObject)}
    return Durable(
        programs={each.id: each for each in reached.values() if isinstance(each, Program)},
        maps=maps,
        links={each.id: each for each in reached.values() if isinstance(each, Link)},
        entries={
            (container.id, key): held.id
            for container in maps.values()
            if _keeps_entries(container, without)
            for key, held in container.held.items()
        },
        pins={path: each.id for path, each in pinned.items()},
        owned=frozenset(each.id for each in reached.values() if _owned(each, without)),
        last_id=last_id,
    )


def is_legacy(link: Link) -> bool:
    """Whether a link was attached on behalf of nobody, and stays until it is detached."""
    return link.state is LinkState.ATTACHED and DAEMON in link.users.owners


def _owned(each: Object, without: Without) -> bool:
    return DAEMON in each.users.owners and each.id not in without.released


def _reached_from(each: Object, without: Without) -> Iterable[Object]:
    match each:
        case Link():
            return (each.program,)
        case Program():
            return (*each.maps, *each.file_maps) if _owned(each, without) else each.maps
        case MapObject():
            if not _keeps_entries(each, without):
                return ()
            return (*each.held.values(), *_lasting_loaders(each, without))


def _keeps_entries(container: MapObject, without: Without) -> bool:
    return bool(container.held) and (
        _owned(container, without)
        or bool(container.users.paths - without.paths)
        or bool(_lasting_loaders(container, without))
    )


def _lasting_loaders(container: MapObject, without: Without) -> list[Program]:
    return [each for each in container.loaders if _owned(each, without)]
