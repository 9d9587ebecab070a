"""What survived the last daemon, back in memory with its ids, before anybody is served."""

import asyncio
import gc
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from msgspec import structs

from ebpfd.host.custom_maps import CustomMaps
from ebpfd.host.invocation import Executor
from ebpfd.host.keeper import Keeper, Store
from ebpfd.host.kept_rows import map_provider
from ebpfd.host.links import Links
from ebpfd.host.program_restorer import ProgramRestorer
from ebpfd.host.programs import Programs
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.verification import Verifier, engine_identity
from ebpfd.objects import DAEMON, MapObject, Objects, Owner, Program
from ebpfd.store import (
    Change,
    Kept,
    KeptLink,
    KeptMap,
    KeptObject,
    KeptProgram,
    MapFiles,
    StoreError,
)
from ebpfd.store.advice import told, told_by_engine
from ebpfd.store.check import contradictions, label, missing_files
from ebpfd.store.database import damaged
from ebpfd.store.map_files import EmptyFileError, engine_map, has_file
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, Map, lane_count

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

_OF_OTHERS: Final = frozenset({Result.INVALID_OBJECT, Result.TIMEOUT})
"""What opening a file comes to that another process has spoiled, or does not let go of."""

_OF_THE_SYSTEM: Final = frozenset({Result.NO_MEMORY, Result.TIMEOUT})
"""What it comes to when the system does not give what a map needs."""


@dataclass(frozen=True, slots=True)
class Restorer:
    """Fills the parts of a daemon from its *store*."""

    store: Store
    keeper: Keeper
    objects: Objects
    programs: Programs
    links: Links
    custom_maps: CustomMaps
    registrar: RegistrarHost
    verifier: Verifier
    executor: Executor
    local: bool = False
    """Whether other processes have had files of maps, and may have written anything there."""

    async def restore(self) -> None:
        """Everything that was kept; ``StoreError`` if it is damaged: then it stays as it is.

        Only a map that is *local* and damaged keeps nobody from starting: it begins anew.
        """
        began = time.monotonic()
        kept = await self.store.rows.all()
        # All that is made now stays: to look for garbage in it again and again would take longer.
        gc.disable()
        try:
            judged_again = await self._restore(kept)
        finally:
            gc.enable()
        if kept.objects:
            _log.info(
                "state restored",
                objects=len(kept.objects),
                pins=len(kept.pins),
                judged_again=judged_again,
                seconds=round(time.monotonic() - began, 3),
            )

    async def _restore(self, kept: Kept) -> int:
        """How many programs had to be judged again."""
        engine = await asyncio.to_thread(engine_identity) if kept.objects else b""
        live = await asyncio.to_thread(_live_maps, kept, self.store.files, local=self.local)
        if anew := _made_anew(kept, live):
            await self.store.rows.change(Change(put=anew))
        maps = {number: MapObject(number, each) for number, each in live.items()}
        for number, each in maps.items():
            self.objects.add_map(each, _owners(kept.objects[number]))
            await self._revive(each, kept.objects[number])
        judged_again = await self._restore_programs(kept, maps, engine)
        for (container, key), held in kept.entries.items():
            self._put(maps[container], key, held, maps)
        for number, row in kept.objects.items():
            if isinstance(row, KeptLink):
                await self.links.restore(number, row, _owners(row))
        for path, number in kept.pins.items():
            self.objects.pin_again(path, self.objects.object(number))
        await self.keeper.begin(kept.last_id)
        return judged_again

    async def _revive(self, map_object: MapObject, row: KeptObject) -> None:
        """A map whose type an extension provides waits for it."""
        if isinstance(row, KeptMap) and row.custom is not None:
            data = map_provider(row.custom)
            await self.custom_maps.revive(map_object, data, row.custom.value_size)

    async def _restore_programs(
        self, kept: Kept, maps: Mapping[int, MapObject], engine: bytes
    ) -> int:
        """How many had to be judged again."""
        restorer = ProgramRestorer(
            registrar=self.registrar,
            verifier=self.verifier,
            executor=self.executor,
            helper_calls=self.programs.helper_calls,
            blobs=kept.blobs,
            engine=engine,
        )
        judged = [
            await restorer.judge(number, row, maps)
            for number, row in kept.objects.items()
            if isinstance(row, KeptProgram)
        ]
        # At once, since a program takes less than going to a thread does.
        made = await asyncio.to_thread(lambda: [restorer.make(each, maps) for each in judged])
        for program, each in zip(made, judged, strict=True):
            self.programs.adopt(program, each.clients, _owners(each.row))
            for used in program.maps:
                if used.custom is not None:
                    used.custom.program_types.add(program.program_type.bytes)
            if each.verdict.rejection is None:
                await each.clients.register()
        return sum(not each.verdict.cached for each in judged)

    def _put(
        self, container: MapObject, key: bytes, held: int, maps: Mapping[int, MapObject]
    ) -> None:
        each = maps.get(held) or self.objects.program(held)
        if isinstance(each, Program):
            container.map.set_program(key, each.engine, each.id)
        else:
            container.map.set_map(key, each.map, each.id)
        self.objects.hold(container, key, each)


def _owners(row: KeptObject) -> tuple[Owner, ...]:
    return (DAEMON,) if row.owned else ()


def _live_maps(kept: Kept, files: MapFiles, *, local: bool) -> dict[int, Map]:
    """All maps with their contents; leftovers of the last daemon go."""
    for found in (*contradictions(kept), *missing_files(kept, files)):
        raise StoreError(damaged(files.folder.parent, found))
    live: dict[int, Map] = {}
    for number, row in kept.objects.items():
        if isinstance(row, KeptMap):
            try:
                live[number] = _live_map(number, row, kept, files, local=local)
            except (EngineError, OSError) as error:
                raise _unusable(files, number, row, error) from None
    files.make_folder()
    for number in files.remove_all_but(live):
        _log.debug("file of a map that did not survive removed", map=number)
    return live


def _unusable(
    files: MapFiles, number: int, row: KeptObject, error: EngineError | OSError
) -> StoreError:
    """A backup is no help against what the system does not allow just now."""
    match error:
        case EmptyFileError() | FileNotFoundError():
            pass
        case OSError():
            why = told(error, files.path(number))
            return StoreError(f"{label(number, row)} cannot be opened: {why}")
        case EngineError() if error.code in _OF_THE_SYSTEM:
            why = told_by_engine(str(error))
            return StoreError(f"{label(number, row)} cannot be opened: {why}")
        case _:
            pass
    return StoreError(damaged(files.folder.parent, f"{label(number, row)}: {error}"))


def _made_anew(kept: Kept, live: Mapping[int, Map]) -> dict[int, KeptMap]:
    """Rows of maps whose values were set aside, as the maps are now."""
    return {
        number: structs.replace(row, lanes=live[number].lanes)
        for number, row in kept.objects.items()
        if isinstance(row, KeptMap) and row.lanes != live[number].lanes
    }


def _live_map(number: int, row: KeptMap, kept: Kept, files: MapFiles, *, local: bool) -> Map:
    if not has_file(row):
        return engine_map(row, None if row.initial is None else kept.blobs[row.initial])
    if row.lanes in (0, lane_count()):
        try:
            return files.map_in(number, row)
        except (EngineError, EmptyFileError) as error:
            if not local or getattr(error, "code", Result.INVALID_OBJECT) not in _OF_OTHERS:
                raise
            _log.error(
                "a damaged map set aside, which another process may have written: it begins empty",
                map=number,
                name=row.name,
                file=str(files.set_aside(number, "damaged")),
                damage=str(error),
            )
            return files.map_anew(number, row)
    aside = files.set_aside(number, f"{row.lanes}-lanes")
    _log.error(
        "values of a per-CPU map set aside, for this machine has another number of processors",
        map=number,
        name=row.name,
        file=str(aside),
    )
    return files.map_anew(number, row)
