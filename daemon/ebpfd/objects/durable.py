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
    pinned = {
        path: each
        for path, each in pins.all().items()
        if path not in without.paths and each.id not in without.links
    }
    legacy = (each for each in links if is_legacy(each) and each.id not in without.links)
    ahead: list[Object] = [*pinned.values(), *legacy]
    # One walk over all that survives with each change of it: it must be a short one.
    seen: set[int] = set()
    owned: set[int] = set()
    programs, maps, attached = dict[int, Program](), dict[int, MapObject](), dict[int, Link]()
    entries = dict[tuple[int, bytes], int]()
    while ahead:
        each = ahead.pop()
        number = each.id
        if number in seen:
            continue
        seen.add(number)
        if is_owned := _owned(each, without):
            owned.add(number)
        match each:
            case Link():
                attached[number] = each
                ahead.append(each.program)
            case MapObject():
                maps[number] = each
                if each.held and _keeps_entries(each, without):
                    ahead += each.held.values()
                    ahead += _lasting_loaders(each, without)
                    entries.update(((number, key), held.id) for key, held in each.held.items())
            case Program():
                programs[number] = each
                ahead += each.maps
                if is_owned:
                    ahead += each.file_maps
    return Durable(
        programs=programs,
        maps=maps,
        links=attached,
        entries=entries,
        pins={path: each.id for path, each in pinned.items()},
        owned=frozenset(owned),
        last_id=last_id,
    )


def is_legacy(link: Link) -> bool:
    """Whether a link was attached on behalf of nobody, and stays until it is detached."""
    return link.state is LinkState.ATTACHED and DAEMON in link.users.owners


def _owned(each: Object, without: Without) -> bool:
    return DAEMON in each.users.owners and each.id not in without.released


def _keeps_entries(container: MapObject, without: Without) -> bool:
    return (
        _owned(container, without)
        or bool(container.users.paths - without.paths)
        or bool(_lasting_loaders(container, without))
    )


def _lasting_loaders(container: MapObject, without: Without) -> list[Program]:
    return [each for each in container.loaders if _owned(each, without)]
