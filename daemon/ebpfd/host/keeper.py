"""What survives the daemon, kept on disk as it changes.

A change that adds something is made in memory, kept, and undone if it cannot be kept; its caller
hears of it afterwards.  A change that takes something away is kept first, and then made: what is
gone cannot be brought back.  Either way one transaction writes the difference between what is on
disk and what survives now, so whatever several callers do at once, what is on disk was once true.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import structlog

from ebpfd.errors import RequestError
from ebpfd.host.kept_rows import link_row, map_row, program_row, with_owner
from ebpfd.host.services import Services
from ebpfd.host.verification import Verifier, engine_identity
from ebpfd.objects import NOTHING, Durable, MapObject, Object, Objects, Program, Without
from ebpfd.store import Change, KeptObjects, KeptProgram, MapFiles, StoreError
from ebpfd.store.kept_objects import Blob, KeptObject
from ebpfd.store.map_files import HOLDING_OBJECTS
from ebpfd_api.result import Result
from ebpfd_vm import parse_object

RESERVED_IDS: Final = 1024
"""Ids that may be given before this is written down: after ``kill -9`` as many are left out."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Store:
    """Where things are kept."""

    rows: KeptObjects
    files: MapFiles


@dataclass(slots=True)
class Written:
    """What is on disk: of each object what may change of it, entries, pins, ids.

    ``changes`` is how many the objects had seen when this was all that survives.
    """

    objects: Mapping[int, object] = field(default_factory=dict[int, object])
    entries: Mapping[tuple[int, bytes], int] = field(default_factory=dict[tuple[int, bytes], int])
    pins: Mapping[str, int] = field(default_factory=dict[str, int])
    reserved: int = 1
    changes: int = 0


class Keeper:
    """Writes what survives; without a *store*, nothing does."""

    def __init__(
        self,
        *,
        objects: Objects,
        services: Services,
        verifier: Verifier,
        store: Store | None,
    ) -> None:
        self._objects = objects
        self._services = services
        self._verifier = verifier
        self._store = store
        self._written = Written()
        self._writing = frozenset[int]()
        self._named = set[int]()
        self._engine = b""
        self._changing = asyncio.Lock()
        self._changes = 0
        self._reserving = False
        self._closed = False

    async def begin(self, last_id: int) -> None:
        """What the objects hold is what is on disk, and ids up to *last_id* may have been given."""
        if self._store is None:
            return
        self._engine = await asyncio.to_thread(engine_identity)
        durable = self._objects.durable()
        self._written = Written(
            objects=_changeable(durable),
            entries=durable.entries,
            pins=durable.pins,
            reserved=last_id,
            changes=self._changes,
        )
        for map_object in durable.maps.values():
            self._watch_file(map_object)
        self._objects.skip_ids(last_id)
        await self._reserve()
        self._objects.when_changed.add(self._changed)

    async def close(self) -> None:
        """What goes from now on goes from memory alone."""
        async with self._changing:
            self._closed = True

    async def end(self) -> None:
        """No ids are given any more, so the next daemon need not leave any out."""
        if self._store is not None:
            with suppress(StoreError):
                await self._store.rows.change(Change(exact_last_id=self._objects.last_id))

    def survives(self, each: Object) -> bool:
        """Whether the object is on disk, or on its way there."""
        return each.id in self._written.objects or each.id in self._writing

    def keeps(self, each: Object) -> bool:
        """Whether the object survives, so that a change of it must be kept.

        ``RequestError`` INVALID_STATE if the daemon stops: then it comes back as it is.
        """
        if self._closed and self.survives(each):
            message = f"the daemon stops, and {each.id} stays as it is: ask the next one"
            raise RequestError(Result.INVALID_STATE, message)
        return self.survives(each)

    async def kept(self, undo: Callable[[], Awaitable[object]]) -> None:
        """A change was made in memory: it is on disk now, or was undone.

        ``RequestError`` OUT_OF_SPACE says why it could not be kept.
        """
        wanted = self._changes
        try:
            async with self._changing:
                # Somebody who came before may have written this with a change of his.
                if self._written.changes < wanted:
                    await self._write(NOTHING)
        except Exception as error:
            await undo()
            with suppress(StoreError):  # what has been written of it meanwhile is taken away
                async with self._changing:
                    await self._write(NOTHING)
            if isinstance(error, StoreError):
                raise _cannot_keep(error) from None
            raise

    @asynccontextmanager
    async def gone(self, without: Without) -> AsyncGenerator[None]:
        """On disk *without* is gone: in the block it must go from memory, without waiting.

        ``RequestError`` OUT_OF_SPACE if it could not be taken away: then the block is not entered.
        """
        async with self._changing:
            try:
                await self._write(without)
            except StoreError as error:
                raise _cannot_keep(error) from None
            yield

    async def settle(self) -> None:
        """What programs have changed is kept, if it can be; the next change tries again."""
        if self._closed:
            return
        try:
            async with self._changing:
                await self._write(NOTHING)
        except StoreError as error:
            _log.error("state not written", reason=str(error))

    @property
    def refused(self) -> int:
        """How often the state could not be written."""
        return self._store.rows.refused if self._store else 0

    @property
    def problem(self) -> str:
        """Why the last change could not be written; empty: it was, or there was none."""
        return self._store.rows.problem if self._store else ""

    async def try_again(self) -> None:
        """See whether the state takes changes again, if the last one could not be written."""
        if self.problem:
            with suppress(StoreError):
                async with self._changing:
                    if not self._closed:
                        await self._write(NOTHING)
                        await self._reserve()

    async def _write(self, without: Without) -> None:
        if self._store is None:
            return
        if self._closed:
            raise StoreError("the daemon stops")
        changes = self._changes
        durable = self._objects.durable(without)
        objects = _changeable(durable)
        before = self._written
        changed = [number for number in objects if objects[number] != before.objects.get(number)]
        change = Change(
            entries={
                **{key: None for key in before.entries if key not in durable.entries},
                **{
                    key: held
                    for key, held in durable.entries.items()
                    if before.entries.get(key) != held
                },
            },
            pin={
                path: each for path, each in durable.pins.items() if before.pins.get(path) != each
            },
            unpin=[path for path in before.pins if path not in durable.pins],
            remove=[number for number in before.objects if number not in objects],
        )
        if not (changed or change.entries or change.pin or change.unpin or change.remove):
            before.changes = changes
            return
        blobs: dict[Blob, bytes] = {}
        new_maps = [each for number, each in durable.maps.items() if number not in before.objects]
        self._writing = frozenset(objects)
        try:
            put = {number: await self._row(number, durable, blobs) for number in changed}
            await self._store.rows.change(
                replace(change, put=put, blobs=blobs, last_id=self._objects.last_id),
                partial(self._name_files, [each for each in new_maps if _has_file(each)]),
            )
            self._written = Written(
                objects, durable.entries, durable.pins, before.reserved, changes
            )
        finally:
            self._writing = frozenset[int]()
        for map_object in new_maps:
            self._watch_file(map_object)
        for number in change.remove:
            if not self._objects.has_map(number):  # it has gone from memory before this
                self._remove_file(number)

    async def _row(self, number: int, durable: Durable, blobs: dict[Blob, bytes]) -> KeptObject:
        owned = number in durable.owned
        if number in durable.links:
            return link_row(durable.links[number], owned=owned)
        if number in durable.maps:
            return map_row(durable.maps[number], blobs, owned=owned)
        program = durable.programs[number]
        row = await self._program_row(program, blobs)
        return with_owner(row, _file_maps(program, durable), owned=owned)

    async def _program_row(self, program: Program, blobs: dict[Blob, bytes]) -> KeptProgram:
        parsed = await asyncio.to_thread(parse_object, program.source.object_file)
        return await program_row(program, parsed, self._verifier, self._engine, blobs)

    def _name_files(self, maps: list[MapObject]) -> None:
        assert self._store is not None, "asked only then"
        if maps:
            self._store.files.name([(each.id, each.map.fileno()) for each in maps])

    def _watch_file(self, map_object: MapObject) -> None:
        """A file that has a name stays until its map goes."""
        if _has_file(map_object):
            self._named.add(map_object.id)
            map_object.when_gone.add(partial(self._file_gone, map_object.id))

    def _file_gone(self, map_id: int) -> None:
        if not self._closed and map_id not in self._written.objects:
            self._remove_file(map_id)

    def _remove_file(self, map_id: int) -> None:
        """Remove the file of a map that is neither in memory nor on disk, if it has one."""
        if self._store is not None and map_id in self._named:
            self._named.discard(map_id)
            removing = self._store.rows.in_order(partial(self._store.files.remove, map_id))
            self._services.start(removing, name=f"removal of the file of map {map_id}")

    def _changed(self) -> None:
        self._changes += 1
        if (
            not (self._reserving or self._closed)
            and self._objects.last_id > self._written.reserved - RESERVED_IDS // 2
        ):
            self._reserving = True
            self._services.start(self._reserve_again(), name="reservation of ids")

    async def _reserve_again(self) -> None:
        try:
            async with self._changing:
                if not self._closed:
                    await self._reserve()
        except StoreError as error:
            _log.error("state not written", reason=str(error))
        finally:
            self._reserving = False

    async def _reserve(self) -> None:
        assert self._store is not None, "asked only then"
        reserved = self._objects.last_id + RESERVED_IDS
        await self._store.rows.change(Change(last_id=reserved))
        self._written.reserved = reserved


def _cannot_keep(error: StoreError) -> RequestError:
    _log.error("state not written", reason=str(error))
    return RequestError(
        Result.OUT_OF_SPACE, f"the state cannot be written, so nothing has changed: {error}"
    )


def _changeable(durable: Durable) -> dict[int, object]:
    """What may change of each object that is on disk."""
    owned = durable.owned
    return {
        **{
            number: (number in owned, tuple(_file_maps(each, durable)))
            for number, each in durable.programs.items()
        },
        **{number: number in owned for number in durable.maps},
        **{
            number: (number in owned, each.program.id, each.policy, each.breaker_rule)
            for number, each in durable.links.items()
        },
    }


def _file_maps(program: Program, durable: Durable) -> list[int]:
    return [each.id for each in program.file_maps if each.id in durable.maps]


def _has_file(map_object: MapObject) -> bool:
    return not map_object.map.read_only and map_object.map.type not in HOLDING_OBJECTS
