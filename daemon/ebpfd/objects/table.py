"""All objects by id, and who keeps whom alive.

Ids come from one counter for all kinds, are never given twice, and begin at 2 as in eBPF for
Windows.  A link keeps its program, a program keeps its maps; what nobody keeps is dropped.
"""

from collections.abc import Iterable
from typing import TypeVar

from ebpfd.errors import RequestError
from ebpfd.objects.links import Link
from ebpfd.objects.maps import MapObject
from ebpfd.objects.programs import Program
from ebpfd_api.result import Result

_Object = TypeVar("_Object")


class Objects:
    """The programs, maps and links of the daemon."""

    def __init__(self) -> None:
        self._last_id = 1
        self._programs: dict[int, Program] = {}
        self._maps: dict[int, MapObject] = {}
        self._links: dict[int, Link] = {}

    def next_id(self) -> int:
        """An id that was never given before."""
        self._last_id += 1
        return self._last_id

    def programs(self) -> Iterable[Program]:
        """All programs by ascending id."""
        return tuple(self._programs.values())

    def maps(self) -> Iterable[MapObject]:
        """All maps by ascending id."""
        return tuple(self._maps.values())

    def links(self) -> Iterable[Link]:
        """All links by ascending id, which is attach order."""
        return tuple(self._links.values())

    def program(self, program_id: int) -> Program:
        """The program *program_id*, or ``RequestError`` KEY_NOT_FOUND."""
        return _find(self._programs, program_id, "program")

    def map(self, map_id: int) -> MapObject:
        """The map *map_id*, or ``RequestError`` KEY_NOT_FOUND."""
        return _find(self._maps, map_id, "map")

    def link(self, link_id: int) -> Link:
        """The link *link_id*, or ``RequestError`` KEY_NOT_FOUND."""
        return _find(self._links, link_id, "link")

    def add_program(self, program: Program) -> None:
        """Add *program* with the maps that it uses."""
        self._programs[program.id] = program
        for map_object in program.maps:
            map_object.program_ids.add(program.id)
            self._maps[map_object.id] = map_object

    def add_link(self, link: Link) -> None:
        """Add *link*, which keeps its program from now on."""
        self._links[link.id] = link
        link.program.link_ids.add(link.id)

    def remove_link(self, link: Link) -> bool:
        """Remove *link*; True if its program has nothing left that keeps it."""
        self._links.pop(link.id, None)
        link.program.link_ids.discard(link.id)
        return not link.program.loaded and not link.program.link_ids

    def unload(self, program: Program) -> bool:
        """Give up the daemon's own reference; True if nothing else keeps *program*."""
        program.loaded = False
        return not program.link_ids

    def remove_program(self, program: Program) -> None:
        """Remove *program*, and its maps that no other program uses."""
        self._programs.pop(program.id, None)
        for map_object in program.maps:
            map_object.program_ids.discard(program.id)
            if not map_object.program_ids:
                self._maps.pop(map_object.id, None)


def _find(table: dict[int, _Object], wanted: int, kind: str) -> _Object:
    try:
        return table[wanted]
    except KeyError:
        message = (
            f"there is no {kind} with id {wanted}: `ebpfctl {kind} list` shows those there are"
        )
        raise RequestError(Result.KEY_NOT_FOUND, message) from None
