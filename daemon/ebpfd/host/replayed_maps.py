"""The maps of a replay: as they were when the recording began, for whoever declares the like.

A map of a file is the recorded one of the same name, if key, value and type are the same.  What a
file says about its size and flags counts: then it is a map of its own, with the same contents.
Constants are the file's own, since they are part of the program.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from ebpfd.errors import RequestError
from ebpfd.host.file_maps import create_maps
from ebpfd.host.new_maps import NewMaps
from ebpfd.objects.recordings import (
    RecordedMap,
    RecordedMapEntries,
    RecordedWrite,
    Unseen,
    WriteKind,
)
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, Map, MapSpec, Object
from ebpfd_vm import Program as EngineProgram

_MAPS_OF_MAPS: Final = frozenset({MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS})
_ID_BYTES: Final = 4


class ReplayedMaps:
    """Recorded maps by id, made when a program first needs them; *note* is told what is lacking."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self.lanes = 0
        """Of the machine that recorded."""

        self._note = note
        self._declared: dict[int, RecordedMap] = {}
        self._entries: dict[int, list[RecordedMapEntries]] = {}
        self._live: dict[int, Map] = {}
        self._filled: set[int] = set()
        self._standing: dict[int, list[Map]] = {}
        """Maps that stand for a recorded one: what users wrote is written to each."""

        self._programs: dict[int, Callable[[str], EngineProgram | None]] = {}
        """Who has the programs of a program array, by name."""

    def declare(self, recorded: RecordedMap) -> None:
        """There is such a map."""
        self._declared[recorded.id] = recorded
        self._entries[recorded.id] = []
        if recorded.without_entries:
            self._note(f"map {recorded.name}: what was in it is not recorded: it begins empty")

    def fill(self, entries: RecordedMapEntries) -> None:
        """It has these entries."""
        if entries.map_id not in self._entries:
            message = f"the recording has entries of map {entries.map_id}, but not the map"
            raise RequestError(Result.INVALID_ARGUMENT, message)
        self._entries[entries.map_id].append(entries)

    def tell_unseen(self, unseen: Unseen) -> None:
        """Note who else may have written to a map."""
        name = self._declared[unseen.map_id].name if unseen.map_id in self._declared else "?"
        how = f"through link {unseen.link_id}" if unseen.link_id else "in a test run"
        wrote = f"program {unseen.program_name} may have written to it {how}"
        self._note(f"map {name}: {wrote}, which is not recorded")

    def write(self, write: RecordedWrite) -> None:
        """Do what a user did; what failed then fails now."""
        recorded = self._declared.get(write.map_id)
        if recorded is None:
            message = f"the recording has a write to map {write.map_id}, but not the map"
            raise RequestError(Result.INVALID_ARGUMENT, message)
        for live in self._standing.get(write.map_id, ()):
            with suppress(EngineError):
                self._write(recorded, live, write)

    def _write(self, recorded: RecordedMap, live: Map, write: RecordedWrite) -> None:
        match write.kind:
            case WriteKind.POP:
                live.take(write.keys)
            case WriteKind.DELETE:
                live.delete_batch(write.keys)
            case WriteKind.UPDATE if recorded.type == MapType.PROG_ARRAY:
                self._put_program(recorded, live, write)
            case WriteKind.UPDATE if recorded.type in _MAPS_OF_MAPS:
                number = int.from_bytes(write.values, "little")
                if (inner := self._declared.get(number)) is not None:
                    live.set_map(write.keys, self._map(inner), number, write.flags)
            case WriteKind.UPDATE if not recorded.key_size:
                live.update(write.keys, write.values, write.flags)
            case WriteKind.UPDATE:
                values = self._values(recorded, live, write)
                live.update_batch(write.keys, values, write.flags)

    def _put_program(self, recorded: RecordedMap, live: Map, write: RecordedWrite) -> None:
        for name in write.programs:
            engine = self._programs[recorded.id](name) if recorded.id in self._programs else None
            if engine is None:
                self._note(f"map {recorded.name}: the file has no program {name}")
            else:
                live.set_program(write.keys, engine, 1, write.flags)

    def of_file(self, parsed: Object, map_ids: Iterable[int]) -> list[Map]:
        """The maps of a file, in place of those that a recorded program reached."""
        recorded = [self._declared[each] for each in map_ids if each in self._declared]
        existing: dict[int, Map] = {}
        for place, spec in enumerate(parsed.maps):
            if spec.read_only:
                continue
            like = next((each for each in recorded if _is_like(each, spec)), None)
            if like is None:
                if any(each.name == spec.name for each in recorded):
                    self._note(f"map {spec.name} is of another kind now: it begins empty")
                continue
            if (spec.max_entries, spec.flags) == (like.max_entries, like.flags):
                existing[place] = self._map(like)
            elif like.type not in _MAPS_OF_MAPS and like.type != MapType.PROG_ARRAY:
                (own,) = create_maps([spec], {}, NewMaps())
                self._put(like, own)
                self._standing.setdefault(like.id, []).append(own)
                existing[place] = own
            else:
                self._note(f"map {spec.name} has another size or flags now: it begins empty")
        try:
            return create_maps(parsed.maps, existing, NewMaps())
        except EngineError as error:
            raise RequestError(Result(error.code), error.message) from None

    def fill_program_arrays(
        self, map_ids: Iterable[int], program: Callable[[str], EngineProgram | None]
    ) -> None:
        """Put programs of the same names where programs were, once for each array."""
        for map_id in map_ids:
            recorded = self._declared.get(map_id)
            self._programs.setdefault(map_id, program)
            is_new = map_id in self._live and map_id not in self._filled
            if recorded is None or recorded.type != MapType.PROG_ARRAY or not is_new:
                continue
            self._filled.add(map_id)
            for entries in self._entries[map_id]:
                for key, name in zip(_keys(recorded, entries), entries.programs, strict=True):
                    engine = program(name)
                    if engine is None:
                        self._note(f"map {recorded.name}: the file has no program {name}")
                    else:
                        self._live[map_id].set_program(key, engine, 1)

    def _map(self, recorded: RecordedMap) -> Map:
        if recorded.id not in self._live:
            live = Map(
                recorded.type,
                recorded.key_size,
                recorded.value_size,
                recorded.max_entries,
                name=recorded.name,
                flags=recorded.flags,
                inner=recorded.inner,
            )
            self._live[recorded.id] = live
            self._standing.setdefault(recorded.id, []).append(live)
            self._put(recorded, live)
        return self._live[recorded.id]

    def _put(self, recorded: RecordedMap, live: Map) -> None:
        """Put what was recorded into a map."""
        if recorded.type == MapType.PROG_ARRAY:
            return  # later: its programs have these maps
        for entries in self._entries[recorded.id]:
            if recorded.type in _MAPS_OF_MAPS:
                for key, inner in zip(
                    _keys(recorded, entries), _chunks(entries.values, _ID_BYTES), strict=True
                ):
                    number = int.from_bytes(inner, "little")
                    live.set_map(key, self._map(self._declared[number]), number)
                continue
            try:
                live.update_batch(entries.keys, self._values(recorded, live, entries))
            except EngineError as error:
                self._note(f"map {recorded.name} does not hold all that it had: {error.message}")

    def _values(
        self, recorded: RecordedMap, live: Map, entries: RecordedMapEntries | RecordedWrite
    ) -> bytes:
        """The values, for as many lanes as this machine has."""
        count = len(entries.keys) // recorded.key_size
        if not live.lanes or not count or self.lanes == live.lanes:
            return entries.values
        if self.lanes > live.lanes:
            message = (
                f"map {recorded.name} was recorded with {self.lanes} lanes, and this machine has "
                f"{live.lanes}: it has fewer processors"
            )
            raise RequestError(Result.INVALID_ARGUMENT, message)
        size = len(entries.values) // count
        values = _chunks(entries.values, size)
        return b"".join(each.ljust(live.user_value_size, b"\0") for each in values)


def _is_like(recorded: RecordedMap, spec: MapSpec) -> bool:
    return (recorded.name, recorded.type, recorded.key_size, recorded.value_size) == (
        spec.name,
        spec.type,
        spec.key_size,
        spec.value_size,
    )


def _keys(recorded: RecordedMap, entries: RecordedMapEntries) -> list[bytes]:
    return _chunks(entries.keys, recorded.key_size)


def _chunks(column: bytes, size: int) -> list[bytes]:
    return [column[at : at + size] for at in range(0, len(column), size)]
