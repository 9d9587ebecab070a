"""Maps as their users have them: made, written, emptied in batches, filled with objects, removed.

Calls of the engine are short and happen on the event loop, so that no program meets a map of
programs that is half changed; what a change leaves without anybody is destroyed.  Only a map that
another process shares may have to be waited for: its calls are on threads.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias, TypeVar

import structlog

from ebpfd.errors import RequestError
from ebpfd.host.custom_maps import CustomMaps
from ebpfd.host.invocation import Executor
from ebpfd.host.keeper import Keeper
from ebpfd.host.new_custom_maps import is_custom
from ebpfd.host.new_maps import NewMaps
from ebpfd.host.program_elements import DELETE, LOOKUP_AND_DELETE
from ebpfd.host.programs import Programs
from ebpfd.objects import DAEMON, MapObject, Objects, Owner, Program, Without
from ebpfd.objects.maps import Held
from ebpfd.objects.recordings import RecordedWrite, WriteKind
from ebpfd.store import KeptMap
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, Map

MAX_VALUE_BYTES: Final = 15 << 20
"""Keys and values of one answer, or of one entry: what surely fits into a message."""

DELETE_HELPERS: Final = frozenset({DELETE, LOOKUP_AND_DELETE})
"""With these a program can take an object out of a map without our knowing."""

_Value = TypeVar("_Value")
_Changed: TypeAlias = "tuple[bytes, Held | None, Held | None]"
"""A key of a container, and what it held before and holds now."""

_MAPS_OF_MAPS: Final = frozenset({MapType.HASH_OF_MAPS, MapType.ARRAY_OF_MAPS})
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class MapDeclaration:
    """What a map shall be; ``inner`` is a map that the maps in it must be like, 0 for none."""

    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int = 0
    name: str = ""
    inner: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Entries that follow one another, and the key to go on after; empty at the end."""

    entries: list[tuple[bytes, bytes]]
    next: bytes


class Maps:
    """What changes maps, or who keeps whom by them."""

    def __init__(
        self,
        *,
        objects: Objects,
        programs: Programs,
        custom: CustomMaps,
        new_maps: NewMaps,
        keeper: Keeper,
        executor: Executor,
    ) -> None:
        self._guard = executor.guard
        self._keeper = keeper
        self._executor = executor
        self._objects = objects
        self._programs = programs
        self.custom = custom
        self._new_maps = new_maps
        self.when_written: set[Callable[[RecordedWrite, MapObject | None], None]] = set()
        """Told of each write of a user, and the map that it puts into another, right before."""

    async def create(self, wanted: MapDeclaration, owner: Owner = DAEMON) -> MapObject:
        """A map that *owner* has until it is removed."""
        self._guard.check("maps", self._objects.count("map"), 1, "remove some")
        inner = None
        if wanted.inner:
            if wanted.type not in _MAPS_OF_MAPS:
                message = f"inner_map_id is {wanted.inner}: only a map of maps has inner maps"
                raise RequestError(Result.INVALID_ARGUMENT, message)
            like = self._plain(wanted.inner).map
            inner = (like.type, like.key_size, like.value_size, like.max_entries)
        if is_custom(wanted.type):
            map_object = await self.custom.create(wanted)
        else:
            declared = KeptMap(
                wanted.type,
                wanted.key_size,
                wanted.value_size,
                wanted.max_entries,
                name=wanted.name,
                flags=wanted.flags,
                inner=inner,
            )
            made = await asyncio.to_thread(self._new_maps.make, declared)
            map_object = MapObject(self._objects.next_id(), made)
        try:
            self._guard.check("maps", self._objects.count("map"), 1, "remove some")
            self._objects.add_map(map_object, (owner,))
        except RequestError:
            await self.custom.end(map_object)
            raise
        _log.info("map created", map=map_object.id, name=map_object.name)
        return map_object

    async def remove(self, map_id: int, owner: Owner = DAEMON) -> MapObject:
        """End *owner*'s reference, or the daemon's; others, pins and maps of maps may keep it."""
        map_object = self._objects.map(map_id)
        if not map_object.created:
            raise RequestError(Result.INVALID_STATE, _why_kept(map_object))
        releasing = map_object.users.who_lets_go(owner)
        if releasing is DAEMON and self._keeper.keeps(map_object):
            async with self._keeper.gone(Without(released=frozenset({map_id}))):
                left = self._objects.remove_map(map_object, releasing)
        else:
            left = self._objects.remove_map(map_object, releasing)
        await self._destroy(left)
        if not map_object.kept:
            await self.custom.end(map_object)
        _log.info("map removed", map=map_id, name=map_object.name)
        return map_object

    async def close(self) -> None:
        """Give up every created map, at the daemon's end."""
        for map_object in self._objects.maps():
            for owner in tuple(map_object.users.owners):
                await self._destroy(self._objects.remove_map(map_object, owner))

    async def put_program(self, map_id: int, key: bytes, program_id: int, flags: int) -> None:
        """Put a program under a key of a program array."""
        self._plain(map_id)
        container, program = self._container(map_id), self._objects.program(program_id)
        async with self._changing(container) as left:
            self._tell(container, WriteKind.UPDATE, key, flags=flags, held=program)
            container.map.set_program(key, program.engine, program.id, flags)
            left.extend(self._objects.hold(container, key, program))

    async def put_map(self, map_id: int, key: bytes, inner_id: int, flags: int) -> None:
        """Put a map under a key of a map of maps."""
        self._plain(map_id)
        container, inner = self._container(map_id), self._plain(inner_id)
        async with self._changing(container) as left:
            self._tell(container, WriteKind.UPDATE, key, flags=flags, held=inner)
            container.map.set_map(key, inner.map, inner.id, flags)
            left.extend(self._objects.hold(container, key, inner))

    async def lookup(self, map_id: int, key: bytes) -> bytes:
        """The value of a key."""
        map_object = self._objects.map(map_id)
        if map_object.custom is not None:
            return await self.custom.lookup(map_object, key)
        readable = self._readable(map_id)
        return await self._called(readable, partial(readable.map.lookup, key))

    async def update(self, map_id: int, key: bytes, value: bytes, flags: int) -> None:
        """Write a value."""
        map_object = self._objects.map(map_id)
        if map_object.custom is not None:
            await self.custom.update(map_object, key, value, flags)
        else:
            self._tell(map_object, WriteKind.UPDATE, key, value, flags)
            await self._called(map_object, partial(map_object.map.update, key, value, flags))

    async def update_batch(self, map_id: int, keys: bytes, values: bytes, flags: int) -> None:
        """Write values, in order, until one fails; the error says which."""
        map_object = self._objects.map(map_id)
        if map_object.custom is not None:
            await self.custom.update_batch(map_object, keys, values, flags)
        else:
            updating = partial(map_object.map.update_batch, keys, values, flags)
            self._tell(map_object, WriteKind.UPDATE, keys, values, flags)
            await self._called(map_object, updating)

    async def next_key(self, map_id: int, after: bytes | None) -> bytes:
        """The key that follows *after*; NO_MORE_KEYS if there is none."""
        map_object = self._objects.map(map_id)
        if map_object.custom is not None:
            return await self.custom.next_key(map_object, after)
        return await self._called(map_object, partial(map_object.map.next_key, after))

    async def take(self, map_id: int, key: bytes) -> bytes:
        """The value of a key, which is deleted."""
        map_object = self._plain(map_id)
        kind = WriteKind.DELETE if map_object.map.key_size else WriteKind.POP
        self._tell(map_object, kind, key)
        taking = partial(self._readable(map_id).map.take, key)
        return await self._called(map_object, taking)

    async def delete(self, map_id: int, key: bytes) -> None:
        """Delete a key."""
        map_object = self._objects.map(map_id)
        if map_object.custom is not None:
            await self.custom.delete(map_object, key)
            return
        async with self._changing(map_object):
            self._tell(map_object, WriteKind.DELETE, key)
            await self._called(map_object, partial(map_object.map.delete, key))

    async def delete_batch(self, map_id: int, keys: bytes) -> None:
        """Delete keys, in order, until one fails; the error says which."""
        map_object = self._objects.map(map_id)
        if map_object.custom is not None:
            await self.custom.delete_batch(map_object, keys)
            return
        async with self._changing(map_object):
            self._tell(map_object, WriteKind.DELETE, keys)
            await self._called(map_object, partial(map_object.map.delete_batch, keys))

    async def entries(
        self, map_id: int, after: bytes | None, count: int
    ) -> list[tuple[bytes, bytes]]:
        """Up to *count* entries that follow *after*; none at the end."""
        map_object = self._readable(map_id)
        limit = _limit(map_object.map, count)
        return await self._called(map_object, partial(map_object.map.entries, after, limit))

    async def page(self, map_id: int, after: bytes | None, count: int) -> Page:
        """Up to *count* entries that follow *after*; NO_MORE_KEYS if there are none."""
        self._plain(map_id)
        return _page(self._objects.map(map_id).map, await self.entries(map_id, after, count))

    async def take_page(self, map_id: int, after: bytes | None, count: int) -> Page:
        """As ``page``, and the entries are deleted."""
        self._plain(map_id)
        map_object = self._readable(map_id)
        limit = _limit(map_object.map, count)
        async with self._changing(map_object):
            taken = await self._called(
                map_object, partial(map_object.map.take_entries, after, limit)
            )
            if self.when_written:
                self._tell(map_object, WriteKind.DELETE, b"".join(key for key, _ in taken))
            return _page(map_object.map, taken)

    async def settle_all(self) -> None:
        """Notice what programs have deleted from maps of programs and maps."""
        for map_object in self._objects.maps():
            users = (self._objects.program(each) for each in map_object.program_ids)
            if not map_object.is_container:
                continue
            if any(DELETE_HELPERS.intersection(program.spec.helper_ids) for program in users):
                before = len(map_object.held)
                left = self._objects.settle(map_object)
                if len(map_object.held) != before:
                    await self._keeper.settle()
                await self._destroy(left)

    async def _called(self, map_object: MapObject, call: Callable[[], _Value]) -> _Value:
        """Call the engine, on a thread if another process may hold it up."""
        with self._new_maps.room.counting():
            if map_object.may_wait:
                return await self._executor.on_waiting_thread(map_object, call)
            return call()

    def _tell(
        self,
        map_object: MapObject,
        kind: WriteKind,
        keys: bytes,
        values: bytes = b"",
        flags: int = 0,
        held: "Held | None" = None,
    ) -> None:
        """Whoever wants to know hears of what is about to be done, whether it succeeds or not."""
        if not self.when_written:
            return
        programs = (held.name,) if isinstance(held, Program) else ()
        if isinstance(held, MapObject):
            values = held.id.to_bytes(4, "little")
        write = RecordedWrite(map_object.id, kind, keys, values, flags, programs)
        inner = held if isinstance(held, MapObject) else None
        for told in tuple(self.when_written):
            told(write, inner)

    @asynccontextmanager
    async def _changing(self, container: MapObject) -> AsyncGenerator[list[Program]]:
        """What the block changes of what a container holds is kept, or undone; it must not wait.

        No other process shares a container, so that calls of the engine are over at once.

        Whom nobody keeps afterwards is destroyed, with those in the list.
        """
        left: list[Program] = []
        if not container.is_container:
            yield left
            return
        before, keeps = dict(container.held), self._keeper.keeps(container)
        elsewhere = tuple(container.elsewhere)
        try:
            yield left
        finally:
            left += self._objects.settle(container)
            try:
                if keeps:
                    changed = _changed(before, container.held)
                    await self._keeper.kept(partial(self._put_back, container, changed))
            finally:
                await self._destroy(left)
        for each in elsewhere:  # where it was told to end, nothing runs any more by what was
            await each.ended()

    async def _put_back(self, container: MapObject, changed: list[_Changed]) -> None:
        """Undo a change that could not be kept, but for what others have changed since then."""
        left: list[Program] = []
        for key, was, became in changed:
            if container.held.get(key) is not became:
                continue
            if was is None:
                container.map.delete(key)
                continue
            if isinstance(was, Program):
                container.map.set_program(key, was.engine, was.id)
            else:
                self._objects.add_map(was, ())  # it may have been dropped already
                container.map.set_map(key, was.map, was.id)
            left += self._objects.hold(container, key, was)
        left += self._objects.settle(container)
        await self._destroy(left)

    async def _destroy(self, left: list[Program]) -> None:
        await self._programs.destroy_unkept(left)

    def _container(self, map_id: int) -> MapObject:
        container = self._objects.map(map_id)
        if not container.in_use:
            message = (
                f"map {map_id} takes nothing any more: the programs that it came with are unloaded"
            )
            raise RequestError(Result.INVALID_STATE, message)
        return container

    def _plain(self, map_id: int) -> MapObject:
        """A map whose type is not an extension's: those have fewer operations."""
        map_object = self._objects.map(map_id)
        if map_object.custom is not None:
            message = f"map {map_id} is of a custom type, which does not support this"
            raise RequestError(Result.OPERATION_NOT_SUPPORTED, message)
        return map_object

    def _readable(self, map_id: int) -> MapObject:
        map_object = self._objects.map(map_id)
        size = map_object.map.key_size + map_object.map.user_value_size
        if size > MAX_VALUE_BYTES:
            message = (
                f"an entry of map {map_id} has {size} bytes, "
                f"more than the {MAX_VALUE_BYTES} that an answer carries"
            )
            raise RequestError(Result.INSUFFICIENT_BUFFER, message)
        return map_object


def _changed(before: Mapping[bytes, Held], after: Mapping[bytes, Held]) -> list[_Changed]:
    return [
        (key, before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) is not after.get(key)
    ]


def _limit(source: Map, count: int) -> int:
    """How many entries an answer may have."""
    if count == 0:
        raise RequestError(Result.INVALID_ARGUMENT, "count is 0: ask for one entry at least")
    return min(count, MAX_VALUE_BYTES // max(source.key_size + source.user_value_size, 1))


def _page(source: Map, entries: list[tuple[bytes, bytes]]) -> Page:
    if not entries:
        raise RequestError(Result.NO_MORE_KEYS, "there are no more entries")
    last = entries[-1][0]
    try:
        source.next_key(last)
    except EngineError as error:
        if error.code == Result.NO_MORE_KEYS:
            return Page(entries, b"")
    return Page(entries, last)


def _why_kept(map_object: MapObject) -> str:
    """Why a map is there that no owner has."""
    paths = sorted(map_object.users.paths)
    if map_object.loaders:
        loaders = [f"program {each}" for each in sorted(each.id for each in map_object.loaders)]
        return (
            f"map {map_object.id} came with a program's file, and goes when these are unloaded or "
            f"unpinned: {', '.join([*loaders, *paths])}"
        )
    keepers = [
        *paths,
        *(f"program {each}" for each in sorted(map_object.program_ids)),
        *(f"map {each}" for each in sorted(map_object.holder_ids)),
    ]
    return f"map {map_object.id} is nobody's any more, and is there for: {', '.join(keepers)}"
