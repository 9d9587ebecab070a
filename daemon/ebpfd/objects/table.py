"""All objects by id, and who keeps whom alive.

    an owner --> programs, maps, links            link --> program --> maps that it uses
    pin --> programs, maps, links                 map of programs or maps --> what it holds

Ids come from one counter for all kinds, are never given twice, and begin at 2 as in eBPF for
Windows.  What nobody keeps is dropped: a map here, a program or a link by the host, since its
registrations must be withdrawn; methods that may leave such return them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias, TypeVar

from ebpfd.errors import RequestError
from ebpfd.objects.breaker import Breaker
from ebpfd.objects.durable import NOTHING, Durable, Without, durable
from ebpfd.objects.id_table import Identified, IdTable
from ebpfd.objects.links import Link, LinkState
from ebpfd.objects.maps import Held, MapObject
from ebpfd.objects.pin_paths import canonical, pin_path
from ebpfd.objects.pins import Kind, Object, Pins
from ebpfd.objects.programs import Program
from ebpfd.objects.users import DAEMON, Owner
from ebpfd_api.result import Result
from ebpfd_vm import EngineError

KINDS: Final[tuple[Kind, ...]] = ("program", "map", "link")

REMEMBERED: Final = 1024
"""Programs that were replaced, and whose successors are told to whoever asks for them."""

_Object = TypeVar("_Object", bound=Identified)

_Place: TypeAlias = tuple[MapObject, bytes]
"""A map of programs, and a key of it."""


class Objects:
    """The programs, maps and links of the daemon."""

    def __init__(self) -> None:
        self._last_id = 1
        self._programs = IdTable[Program]()
        self._maps = IdTable[MapObject]()
        self._links = IdTable[Link]()
        self._pins = Pins()
        self._owned: dict[Owner, dict[int, Object]] = {}
        self._replaced: dict[int, int] = {}
        """Ids of programs and of those that have taken their places, the latest last."""

        self.when_changed: set[Callable[[], None]] = set()
        """Called within each change of what ``durable`` tells, and of a few things more."""

    @property
    def last_id(self) -> int:
        """The id that was given last."""
        return self._last_id

    def next_id(self) -> int:
        """An id that was never given before."""
        self._last_id += 1
        return self._last_id

    def skip_ids(self, last_id: int) -> None:
        """Give none up to *last_id*: an earlier life of the daemon has given them."""
        self._last_id = max(self._last_id, last_id)

    def count(self, kind: Kind) -> int:
        """How many of that kind there are."""
        return len(self._table(kind))

    def programs(self) -> Iterable[Program]:
        """All programs by ascending id."""
        return tuple(self._programs)

    def links_of(self, program: Program) -> list[Link]:
        """The links that run *program*."""
        found = map(self._links.get, sorted(program.link_ids))
        return [each for each in found if each is not None]

    def maps(self) -> Iterable[MapObject]:
        """All maps by ascending id."""
        return tuple(self._maps)

    def links(self) -> Iterable[Link]:
        """All links by ascending id, which is attach order."""
        return tuple(self._links)

    def program(self, program_id: int) -> Program:
        """The program *program_id*, or ``RequestError`` KEY_NOT_FOUND or STALE_ID."""
        return self._find(self._programs, program_id, "program")

    def map(self, map_id: int) -> MapObject:
        """The map *map_id*, or ``RequestError`` KEY_NOT_FOUND or STALE_ID."""
        return self._find(self._maps, map_id, "map")

    def has_map(self, map_id: int) -> bool:
        """Whether there is a map *map_id*."""
        return map_id in self._maps

    def link(self, link_id: int) -> Link:
        """The link *link_id*, or ``RequestError`` KEY_NOT_FOUND or STALE_ID."""
        return self._find(self._links, link_id, "link")

    def object(self, object_id: int) -> Object:
        """Whatever has *object_id*, or ``RequestError`` KEY_NOT_FOUND or STALE_ID."""
        found = (
            self._programs.get(object_id) or self._maps.get(object_id) or self._links.get(object_id)
        )
        if found is not None:
            return found
        if 1 < object_id <= self._last_id:
            message = f"there is nothing with id {object_id} any more"
            raise RequestError(Result.STALE_ID, message)
        message = f"there is no program, map or link with id {object_id}"
        raise RequestError(Result.KEY_NOT_FOUND, message)

    def id_after(self, kind: Kind, number: int) -> int:
        """The smallest id above *number* of that kind, or ``RequestError`` NO_MORE_KEYS."""
        found = self._table(kind).id_after(number)
        if found is None:
            message = f"there is no {kind} with an id above {number}"
            raise RequestError(Result.NO_MORE_KEYS, message)
        return found

    def add_program(self, program: Program, owners: Iterable[Owner] = (DAEMON,)) -> None:
        """Add *program* with the maps that it uses, and for its *owners* those of its file."""
        self._take(program, owners)
        self._programs.add(program)
        for map_object in program.maps:
            map_object.program_ids.add(program.id)
            self._maps.add(map_object)
        if program.loaded:
            for map_object in program.file_maps:
                map_object.loaders.add(program)
                self._maps.add(map_object)
        self.changed()

    def add_map(self, map_object: MapObject, owners: Iterable[Owner] = (DAEMON,)) -> None:
        """Add a map that *owners* have made or opened."""
        self._take(map_object, owners)
        self._maps.add(map_object)
        self.changed()

    def add_link(self, link: Link, owners: Iterable[Owner] = (DAEMON,)) -> None:
        """Add *link*, which keeps its program from now on."""
        self._take(link, owners)
        self._links.add(link)
        link.program.link_ids.add(link.id)
        self.changed()

    def open(self, each: Object, owner: Owner) -> None:
        """*owner* has *each* too from now on."""
        self._take(each, (owner,))
        if isinstance(each, Program):
            for map_object in each.file_maps:
                if map_object.id in self._maps:
                    map_object.loaders.add(each)
        self.changed()

    def replace_program(self, old: Program, new: Program) -> list[Program]:
        """Add *new*, and put it wherever *old* is had, pinned, linked or held.

        Programs that nobody keeps now.  Whoever invokes a link meets the one or the other: nothing
        waits here.  ``EngineError`` from a map that does not take *new* leaves all as it was.
        """
        places = self._places_of(old)
        _put_instead(places, old, new)
        self.add_program(new, old.users.owners)
        left: list[Program] = []
        for container, key in places:
            left += self.hold(container, key, new)
        for link_id in tuple(old.link_ids):
            left += self.relink(self.link(link_id), new)
        for path in tuple(old.users.paths):
            self._pins.move(path, new)
        for owner in tuple(old.users.owners):
            left += self.unload(old, owner)
        left += [] if old.kept else [old]
        self._replaced.pop(new.id, None)  # it was, if this undoes that
        self._replaced[old.id] = new.id
        if len(self._replaced) > REMEMBERED:
            del self._replaced[next(iter(self._replaced))]
        self.changed()
        return list(dict.fromkeys(left))

    def relink(self, link: Link, new: Program) -> list[Program]:
        """*link* has *new* from now on; programs that nobody keeps now.  Nothing waits here."""
        old, link.program = link.program, new
        if link.breaker_rule is not None:  # the new one has not failed yet
            link.breaker = Breaker(link.breaker_rule)
        if link.elsewhere is not None:
            link.elsewhere.close()
        old.link_ids.discard(link.id)
        new.link_ids.add(link.id)
        self.changed()
        return [] if old.kept else [old]

    def let_go_of(self, link: Link) -> None:
        """A link that is being detached is nobody's any more, and pinned nowhere."""
        self._forget(link)
        self.changed()

    def remove_link(self, link: Link) -> bool:
        """Remove *link* and its pins; True if its program has nothing left that keeps it."""
        self._forget(link)
        self._links.remove(link)
        link.program.link_ids.discard(link.id)
        self.changed()
        return not link.program.kept

    def unload(self, program: Program, owner: Owner = DAEMON) -> list[Program]:
        """*owner* has *program* and its file's maps no more; programs that nobody keeps."""
        self._untake(program, owner)
        left = [] if program.kept else [program]
        if not program.loaded:
            for map_object in program.file_maps:
                map_object.loaders.discard(program)
                left += self._without_user(map_object)
        self.changed()
        return left

    def remove_map(self, map_object: MapObject, owner: Owner = DAEMON) -> list[Program]:
        """*owner* has the map no more; programs that nobody keeps now."""
        self._untake(map_object, owner)
        left = self._without_user(map_object)
        self.changed()
        return left

    def close_link(self, link: Link, owner: Owner = DAEMON) -> list[Link]:
        """*owner* has *link* no more; the link, if it is to be detached."""
        self._untake(link, owner)
        self.changed()
        return [] if link.users else [link]

    def end(self, owner: Owner) -> list[Link | Program]:
        """*owner* has nothing any more, and gets nothing; links and programs that nobody keeps.

        Links come first.
        """
        owner.ended = True
        had = tuple(self._owned.get(owner, {}).values())
        links = [each for each in had if isinstance(each, Link)]
        left: list[Link | Program] = []
        for link in links:
            left += self.close_link(link, owner)
        for each in had:
            if isinstance(each, Program):
                left += self.unload(each, owner)
            elif isinstance(each, MapObject):
                left += self.remove_map(each, owner)
        self._owned.pop(owner, None)
        return list(dict.fromkeys(left))

    def owned(self, owner: Owner) -> Iterable[Object]:
        """What *owner* has."""
        return tuple(self._owned.get(owner, {}).values())

    def remove_program(self, program: Program) -> None:
        """Remove *program* and its pins, and its maps that nobody else keeps."""
        self._forget(program)
        self._programs.remove(program)
        for map_object in program.maps:
            map_object.program_ids.discard(program.id)
            map_object.emptiers.pop(program.id, None)
            self._drop_unless_kept(map_object)
        self.changed()

    def hold(self, container: MapObject, key: bytes, held: Held) -> list[Program]:
        """*container* has *held* under *key* from now on; programs that nobody keeps now."""
        before = container.held.get(key)
        container.held[key] = held
        container.take_back()
        held.holder_ids[container.id] += 1
        left = [] if before is None else self._let_go(container, before)
        self.changed()
        return left

    def settle(self, container: MapObject) -> list[Program]:
        """Forget what *container* holds no more; programs that nobody keeps now.

        The map itself is asked, since programs too can delete keys.
        """
        left: list[Program] = []
        for key, held in tuple(container.held.items()):
            if _id_under(container, key) != held.id:
                del container.held[key]
                container.take_back()
                left += self._let_go(container, held)
                self.changed()
        return left

    def pin(self, path: str, each: Object) -> str:
        """Pin *each*, which is kept until it is unpinned; the path in its one form.

        ``RequestError`` INVALID_ARGUMENT, OBJECT_ALREADY_EXISTS, or INVALID_STATE for a link that
        is not attached.
        """
        whole = pin_path(path)
        if isinstance(each, Link) and each.state is not LinkState.ATTACHED:
            message = f"link {each.id} is {each.state.value}: only one that is attached is pinned"
            raise RequestError(Result.INVALID_STATE, message)
        self._pins.add(whole, each)
        self.changed()
        return whole

    def pin_again(self, whole: str, each: Object) -> None:
        """Pin *each* to a path in the form that ``pin`` gave."""
        self._pins.add(whole, each)
        self.changed()

    def unpin(self, path: str) -> list[Link | Program]:
        """Remove a pin, or KEY_NOT_FOUND; links and programs that nobody keeps now."""
        return self.take_out(pin_path(path))

    def take_out(self, whole: str) -> list[Link | Program]:
        """As ``unpin``, of a path in the form that ``pin`` gave."""
        found = self._pins.remove(whole)
        left: list[Link | Program] = []
        match found:
            case Link():
                left += [] if found.users else [found]
            case Program():
                left += [] if found.kept else [found]
            case MapObject():
                left += self._without_user(found)
        self.changed()
        return left

    def pinned(self, path: str) -> Object:
        """What is pinned there, or ``RequestError`` KEY_NOT_FOUND."""
        return self.pin_at(path)[1]

    def pin_at(self, path: str) -> tuple[str, Object]:
        """The path in its one form, and what is pinned there, or ``RequestError`` KEY_NOT_FOUND."""
        whole = pin_path(path)
        return whole, self._pins.find(whole)

    def pins(self, after: str = "", kinds: Iterable[Kind] = ()) -> Iterator[tuple[str, Object]]:
        """Pins that follow *after*, or all, bytewise; of these kinds if any is named."""
        types = tuple(_TYPES[kind] for kind in kinds)
        return self._pins.after(canonical(after) if after else "", types)

    def pins_by_path(self) -> Mapping[str, Object]:
        """All pins, by their paths in the one form."""
        return self._pins.all()

    def durable(self, without: Without = NOTHING) -> Durable:
        """What survives the daemon, as it is now, or will be when *without* has gone."""
        return durable(self._pins, self._links, self._last_id, without)

    def changed(self) -> None:
        """Tell who wants to know that something may have changed; links do so when attached."""
        for told in tuple(self.when_changed):
            told()

    def _table(self, kind: Kind) -> "IdTable[Program] | IdTable[MapObject] | IdTable[Link]":
        match kind:
            case "program":
                return self._programs
            case "map":
                return self._maps
            case "link":
                return self._links

    def _find(self, table: IdTable[_Object], wanted: int, kind: Kind) -> _Object:
        if (found := table.get(wanted)) is not None:
            return found
        shows = f"`ebpfctl {kind} list` shows those there are"
        for other in KINDS:
            if wanted in self._table(other):
                raise RequestError(Result.KEY_NOT_FOUND, f"{wanted} is a {other}'s id: {shows}")
        if 1 < wanted <= self._last_id:
            gone = f"there is no {kind} with id {wanted} any more"
            if kind == "program" and (new := self._successor(wanted)):
                gone += f", it was replaced by program {new}"
            message = f"{gone}: {shows}"
            raise RequestError(Result.STALE_ID, message)
        raise RequestError(Result.KEY_NOT_FOUND, f"there is no {kind} with id {wanted}: {shows}")

    def _places_of(self, held: Program) -> list[_Place]:
        containers = map(self.map, tuple(held.holder_ids))
        return [
            (container, key)
            for container in containers
            for key, each in container.held.items()
            if each is held
        ]

    def _successor(self, program_id: int) -> int:
        """What has taken the program's place in the end, or 0."""
        successor = 0
        while found := self._replaced.get(successor or program_id):
            successor = found
        return successor

    def _take(self, each: Object, owners: Iterable[Owner]) -> None:
        taking = tuple(owners)
        for owner in taking:
            owner.check()
        for owner in taking:
            each.users.owners.add(owner)
            self._owned.setdefault(owner, {})[each.id] = each

    def _untake(self, each: Object, owner: Owner) -> None:
        each.users.owners.discard(owner)
        self._owned.get(owner, {}).pop(each.id, None)

    def _forget(self, each: Object) -> None:
        """Nobody has it any more."""
        for owner in tuple(each.users.owners):
            self._untake(each, owner)
        for path in tuple(each.users.paths):
            self._pins.remove(path)

    def _without_user(self, map_object: MapObject) -> list[Program]:
        """Its last user may have gone: then it lets go of what it holds."""
        left: list[Program] = []
        if not map_object.in_use:
            map_object.map.clear_objects()
            held, map_object.held = map_object.held, {}
            map_object.take_back()
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
        if not map_object.kept and self._maps.remove(map_object):
            for gone in tuple(map_object.when_gone):
                gone()


_TYPES: Final[dict[Kind, type[Object]]] = {"program": Program, "map": MapObject, "link": Link}


def _put_instead(places: Iterable[_Place], old: Program, new: Program) -> None:
    """Let the engine's maps have *new* instead of *old* in all *places*, or in none."""
    done: list[_Place] = []
    try:
        for container, key in places:
            container.map.set_program(key, new.engine, new.id)
            done.append((container, key))
    except EngineError:
        for container, key in done:
            container.map.set_program(key, old.engine, old.id)
        raise


def _id_under(container: MapObject, key: bytes) -> int:
    try:
        return int.from_bytes(container.map.lookup(key), "little")
    except EngineError:
        return 0
