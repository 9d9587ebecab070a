"""All objects by id, and who keeps whom alive.

    link --> program --> maps that it uses        a user --> programs, maps
    program array --> programs                    map of maps --> maps

Ids come from one counter for all kinds, are never given twice, and begin at 2 as in eBPF for
Windows.  What nobody keeps is dropped: a map here, a program by the host, since its registrations
must be withdrawn; methods that may leave programs so return them.
"""

from collections.abc import Iterable
from typing import TypeVar

from ebpfd.errors import RequestError
from ebpfd.objects.links import Link
from ebpfd.objects.maps import Held, MapObject
from ebpfd.objects.programs import Program
from ebpfd_api.result import Result
from ebpfd_vm import EngineError

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
        return tuple(self._maps[map_id] for map_id in sorted(self._maps))

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
        """Add *program* with the maps that it uses and those of its file."""
        self._programs[program.id] = program
        for map_object in program.maps:
            map_object.program_ids.add(program.id)
            self._maps[map_object.id] = map_object
        for map_object in program.file_maps:
            map_object.owner_ids.add(program.id)
            self._maps[map_object.id] = map_object

    def add_map(self, map_object: MapObject) -> None:
        """Add a map that a user has created."""
        map_object.created = True
        self._maps[map_object.id] = map_object

    def add_link(self, link: Link) -> None:
        """Add *link*, which keeps its program from now on."""
        self._links[link.id] = link
        link.program.link_ids.add(link.id)

    def replace_program(self, old: Program, new: Program) -> list[Program]:
        """Put *new* wherever *old* is linked or held; programs that nobody keeps now.

        Whoever invokes a link meets the one or the other: nothing waits here.
        """
        left: list[Program] = []
        for container_id in tuple(old.holder_ids):
            container = self._maps[container_id]
            for key in [key for key, held in container.held.items() if held is old]:
                container.map.set_program(key, new.engine, new.id)
                left += self.hold(container, key, new)
        for link_id in tuple(old.link_ids):
            self._links[link_id].program = new
            new.link_ids.add(link_id)
        old.link_ids.clear()
        new.loaded = old.loaded
        left += self.unload(old)
        return list(dict.fromkeys(left))

    def relink(self, link: Link, new: Program) -> list[Program]:
        """*link* has *new* from now on; programs that nobody keeps now.  Nothing waits here."""
        old, link.program = link.program, new
        old.link_ids.discard(link.id)
        new.link_ids.add(link.id)
        return [] if old.kept else [old]

    def remove_link(self, link: Link) -> bool:
        """Remove *link*; True if its program has nothing left that keeps it."""
        self._links.pop(link.id, None)
        link.program.link_ids.discard(link.id)
        return not link.program.kept

    def unload(self, program: Program) -> list[Program]:
        """End the user's reference to *program* and its file's maps; programs that nobody keeps."""
        program.loaded = False
        left = [] if program.kept else [program]
        for map_object in program.file_maps:
            map_object.owner_ids.discard(program.id)
            left += self._without_user(map_object)
        return left

    def remove_map(self, map_object: MapObject) -> list[Program]:
        """End the user's reference to a created map; programs that nobody keeps now."""
        map_object.created = False
        return self._without_user(map_object)

    def remove_program(self, program: Program) -> None:
        """Remove *program*, and its maps that nobody else keeps."""
        self._programs.pop(program.id, None)
        for map_object in program.maps:
            map_object.program_ids.discard(program.id)
            self._drop_unless_kept(map_object)

    def hold(self, container: MapObject, key: bytes, held: Held) -> list[Program]:
        """*container* has *held* under *key* from now on; programs that nobody keeps now."""
        before = container.held.get(key)
        container.held[key] = held
        held.holder_ids[container.id] += 1
        return [] if before is None else self._let_go(container, before)

    def settle(self, container: MapObject) -> list[Program]:
        """Forget what *container* holds no more; programs that nobody keeps now.

        The map itself is asked, since programs too can delete keys.
        """
        left: list[Program] = []
        for key, held in tuple(container.held.items()):
            if _id_under(container, key) != held.id:
                del container.held[key]
                left += self._let_go(container, held)
        return left

    def _without_user(self, map_object: MapObject) -> list[Program]:
        """Its last user may have gone: then it lets go of what it holds."""
        left: list[Program] = []
        if not map_object.in_use:
            map_object.map.clear_objects()
            held, map_object.held = map_object.held, {}
            for each in held.values():
                left += self._let_go(map_object, each)
            self._drop_unless_kept(map_object)
        return left

    def _let_go(self, container: MapObject, held: Held) -> list[Program]:
        held.holder_ids[container.id] -= 1
        if held.holder_ids[container.id] == 0:
            del held.holder_ids[container.id]
        if isinstance(held, Program):
            return [] if held.kept else [held]
        self._drop_unless_kept(held)
        return []

    def _drop_unless_kept(self, map_object: MapObject) -> None:
        if not map_object.kept and map_object.id in self._maps:
            del self._maps[map_object.id]
            for gone in tuple(map_object.when_gone):
                gone()


def _id_under(container: MapObject, key: bytes) -> int:
    try:
        return int.from_bytes(container.map.lookup(key), "little")
    except EngineError:
        return 0


def _find(table: dict[int, _Object], wanted: int, kind: str) -> _Object:
    try:
        return table[wanted]
    except KeyError:
        message = (
            f"there is no {kind} with id {wanted}: `ebpfctl {kind} list` shows those there are"
        )
        raise RequestError(Result.KEY_NOT_FOUND, message) from None
