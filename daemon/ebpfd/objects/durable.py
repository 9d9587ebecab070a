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

from ebpfd.objects.links import Link, LinkState
from ebpfd.objects.maps import MapObject
from ebpfd.objects.pins import Object, Pins
from ebpfd.objects.programs import Program
from ebpfd.objects.users import DAEMON


@dataclass(frozen=True, slots=True)
class Durable:
    """Objects by id, ``entries`` by container and key, pins by path, and the last id given."""

    programs: Mapping[int, Program] = field(default_factory=dict[int, Program])
    maps: Mapping[int, MapObject] = field(default_factory=dict[int, MapObject])
    links: Mapping[int, Link] = field(default_factory=dict[int, Link])
    entries: Mapping[tuple[int, bytes], int] = field(default_factory=dict[tuple[int, bytes], int])
    pins: Mapping[str, int] = field(default_factory=dict[str, int])
    last_id: int = 1


def durable(pins: Pins, links: Iterable[Link], last_id: int) -> Durable:
    """All that survives now."""
    reached: dict[int, Object] = {}
    pinned = pins.all()
    ahead: list[Object] = [*pinned.values(), *(each for each in links if is_legacy(each))]
    while ahead:
        each = ahead.pop()
        if each.id not in reached:
            reached[each.id] = each
            ahead.extend(_reached_from(each))
    maps = {each.id: each for each in reached.values() if isinstance(each, MapObject)}
    return Durable(
        programs={each.id: each for each in reached.values() if isinstance(each, Program)},
        maps=maps,
        links={each.id: each for each in reached.values() if isinstance(each, Link)},
        entries={
            (container.id, key): held.id
            for container in maps.values()
            if _keeps_entries(container)
            for key, held in container.held.items()
        },
        pins={path: each.id for path, each in pinned.items()},
        last_id=last_id,
    )


def is_legacy(link: Link) -> bool:
    """Whether a link was attached on behalf of nobody, and stays until it is detached."""
    return link.state is LinkState.ATTACHED and DAEMON in link.users.owners


def _reached_from(each: Object) -> Iterable[Object]:
    match each:
        case Link():
            return (each.program,)
        case Program():
            return (*each.maps, *each.file_maps) if DAEMON in each.users.owners else each.maps
        case MapObject():
            return (*each.held.values(), *_lasting_loaders(each)) if _keeps_entries(each) else ()


def _keeps_entries(container: MapObject) -> bool:
    return bool(container.held) and (container.users.lasting or bool(_lasting_loaders(container)))


def _lasting_loaders(container: MapObject) -> list[Program]:
    return [each for each in container.loaders if DAEMON in each.users.owners]
