"""Maps, as a client holds them."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from ebpfd_api.v1 import maps_pb2
from ebpfd_sdk._answer import result_of
from ebpfd_sdk._daemon import LONG_CALL_S, Daemon
from ebpfd_sdk._decode import check
from ebpfd_sdk._records import Records, records_of
from ebpfd_sdk._values import Keepers

if TYPE_CHECKING:
    from ebpfd_sdk._program import Program

Key: TypeAlias = bytes | int
Value: TypeAlias = "bytes | int | Sequence[bytes | int]"


class MapUpdate(IntEnum):
    """What an update expects to find."""

    ANY = 0
    NOEXIST = 1
    EXIST = 2


@dataclass(frozen=True, slots=True)
class InnerMap:
    """What the maps in a map of maps must be like."""

    type: MapType | int
    type_name: str
    key_size: int
    value_size: int
    max_entries: int


@dataclass(frozen=True, slots=True)
class MapTypeProvider:
    """Who provides a map's type."""

    name: str
    """The extension; empty while there is none."""

    reason: str
    """Why there is none: no operation works meanwhile."""

    stored_value_size: int
    """Bytes of a value as it is stored."""

    updates_original_value: bool
    """Whether values are stored otherwise than they are seen."""


@dataclass(frozen=True, slots=True)
class MapPage:
    """Entries that follow one another, and where to go on: None at the end."""

    entries: tuple[tuple[bytes, bytes], ...]
    next: bytes | None


@dataclass(frozen=True, slots=True)
class Map:
    """What programs and people share; keys and values are bytes, or ints to pack little-endian.

    A value of a per-CPU map is that of all lanes: write a sequence, and see `per_lane`.
    """

    id: int
    name: str
    type: MapType | int
    type_name: str
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    program_ids: tuple[int, ...]
    user_value_size: int
    """Bytes of a value as `get` returns it."""

    lanes: int
    """Values of each entry of a per-CPU map, rings of a PERF_EVENT_ARRAY; else 0."""

    count: int | None
    """Entries when the daemon was asked; None where there are none to count."""

    lost: int
    """Records that were dropped because nobody read them."""

    inner: InnerMap | None
    created: bool
    """Somebody has it by itself, not with its file: it lives until it is removed."""

    holder_ids: tuple[int, ...]
    """Maps of maps that hold it."""

    pin_paths: tuple[str, ...]
    """Where it is pinned."""

    owners: tuple[str, ...]
    """Who has it by itself: clients that hold, or the daemon on behalf of nobody else."""

    provider: MapTypeProvider | None
    """Of a map whose type an extension provides."""

    daemon: Daemon = field(repr=False, compare=False)

    async def get(self, key: Key) -> bytes | None:
        """Look up a value; None: there is none."""
        request = maps_pb2.LookupRequest(id=self.id, key=self._key(key))
        reply = await self.daemon.ask(self.daemon.maps.Lookup, request)
        # As in eBPF for Windows: OBJECT_NOT_FOUND for the key, KEY_NOT_FOUND for the map; but
        # tries of prefixes have it their own way.
        code = result_of(reply.status.code)
        if code is Result.OBJECT_NOT_FOUND:
            return None
        if code is Result.KEY_NOT_FOUND and self.type == MapType.LPM_TRIE:
            return None
        check(reply.status)
        return reply.value

    async def set(self, key: Key, value: Value, update: MapUpdate = MapUpdate.ANY) -> None:
        """Write a value."""
        request = maps_pb2.UpdateRequest(
            id=self.id, key=self._key(key), value=self._value(value), flags=update
        )
        check((await self.daemon.ask(self.daemon.maps.Update, request)).status)

    async def set_program(
        self, key: Key, program: "Program | int", update: MapUpdate = MapUpdate.ANY
    ) -> None:
        """Put a program, or the one with this id, under a key of a program array."""
        id_ = program if isinstance(program, int) else program.id
        request = maps_pb2.UpdateRequest(
            id=self.id, key=self._key(key), program_id=id_, flags=update
        )
        check((await self.daemon.ask(self.daemon.maps.Update, request)).status)

    async def set_map(
        self, key: Key, inner: "Map | int", update: MapUpdate = MapUpdate.ANY
    ) -> None:
        """Put a map, or the one with this id, under a key of a map of maps."""
        id_ = inner if isinstance(inner, int) else inner.id
        request = maps_pb2.UpdateRequest(id=self.id, key=self._key(key), map_id=id_, flags=update)
        check((await self.daemon.ask(self.daemon.maps.Update, request)).status)

    async def delete(self, key: Key) -> None:
        """Delete an entry; one that is not there is an error."""
        request = maps_pb2.DeleteRequest(id=self.id, key=self._key(key))
        check((await self.daemon.ask(self.daemon.maps.Delete, request)).status)

    async def take(self, key: Key) -> bytes | None:
        """Look up and delete at once; None: there is none."""
        return await self._take(self._key(key))

    async def push(self, value: bytes | int, *, drop_oldest: bool = False) -> None:
        """Add a value to a queue or stack; a full one refuses, or drops its oldest value."""
        request = maps_pb2.UpdateRequest(
            id=self.id, value=self._value(value), flags=MapUpdate.EXIST if drop_oldest else 0
        )
        check((await self.daemon.ask(self.daemon.maps.Update, request)).status)

    async def pop(self) -> bytes | None:
        """Take the next value of a queue or stack; None: it is empty."""
        return await self._take(b"")

    async def peek(self) -> bytes | None:
        """Look at the next value of a queue or stack; None: it is empty."""
        return await self.get(b"")

    async def next_key(self, after: Key | None = None) -> bytes | None:
        """Find the key that follows, or the first; None: there is none."""
        key = None if after is None else self._key(after)
        reply = await self.daemon.ask(
            self.daemon.maps.Next, maps_pb2.NextRequest(id=self.id, key=key)
        )
        if result_of(reply.status.code) is Result.NO_MORE_KEYS:
            return None
        check(reply.status)
        return reply.key

    async def page(self, count: int, *, after: bytes | None = None, take: bool = False) -> MapPage:
        """Read up to *count* entries, beginning behind *after*; *take* deletes them."""
        reply: maps_pb2.TakeBatchResponse | maps_pb2.LookupBatchResponse
        if take:
            taking = maps_pb2.TakeBatchRequest(id=self.id, after=after, count=count)
            reply = await self.daemon.ask(self.daemon.maps.TakeBatch, taking)
        else:
            looking = maps_pb2.LookupBatchRequest(id=self.id, after=after, count=count)
            reply = await self.daemon.ask(self.daemon.maps.LookupBatch, looking)
        if result_of(reply.status.code) is Result.NO_MORE_KEYS:
            return MapPage((), None)
        check(reply.status)
        keys = _split(reply.keys, reply.count)
        return MapPage(
            tuple(zip(keys, _split(reply.values, reply.count), strict=True)), reply.next or None
        )

    async def set_many(
        self, entries: Iterable[tuple[Key, Value]], update: MapUpdate = MapUpdate.ANY
    ) -> None:
        """Write values in order; the first that fails ends it, and the error says which."""
        pairs = [(self._key(key), self._value(value)) for key, value in entries]
        request = maps_pb2.UpdateBatchRequest(
            id=self.id,
            keys=b"".join(key for key, _ in pairs),
            values=b"".join(value for _, value in pairs),
            flags=update,
        )
        stub = self.daemon.maps.UpdateBatch
        check((await self.daemon.ask(stub, request, timeout_s=LONG_CALL_S)).status)

    async def delete_many(self, keys: Iterable[Key]) -> None:
        """Delete entries in order; the first that fails ends it, and the error says which."""
        request = maps_pb2.DeleteBatchRequest(id=self.id, keys=b"".join(map(self._key, keys)))
        stub = self.daemon.maps.DeleteBatch
        check((await self.daemon.ask(stub, request, timeout_s=LONG_CALL_S)).status)

    async def items(self) -> list[tuple[bytes, bytes]]:
        """Read all entries, in the map's own order."""
        return [item async for item in self._dump()]

    async def events(self, *, count: int = 0) -> AsyncGenerator[Records]:
        """Read records as they come: *count* of them, or for as long as the map is there.

        There is one reader at a time.  Records are read as fast as they are taken here; what the
        map cannot hold meanwhile is lost, and counted.
        """
        request = maps_pb2.EventsRequest(id=self.id, count=count)
        async for reply in self.daemon.follow(self.daemon.maps.Events, request):
            check(reply.status)
            yield records_of(reply)

    async def remove(self) -> Keepers:
        """Give up a map that was created or opened; return who still holds it."""
        request = maps_pb2.RemoveRequest(id=self.id)
        reply = await self.daemon.ask(self.daemon.maps.Remove, request, timeout_s=LONG_CALL_S)
        check(reply.status)
        return Keepers(
            links=(),
            maps=tuple(reply.map_ids),
            pins=tuple(reply.pin_paths),
            owners=tuple(reply.owners),
        )

    def per_lane(self, value: bytes) -> tuple[bytes, ...]:
        """Take a value apart: one for each lane of a per-CPU map, else the value itself."""
        if not self.lanes:
            return (value,)
        return tuple(each[: self.value_size] for each in _split(value, self.lanes))

    def __aiter__(self) -> AsyncIterator[tuple[bytes, bytes]]:
        return self._dump()

    async def _dump(self) -> AsyncGenerator[tuple[bytes, bytes]]:
        request = maps_pb2.DumpRequest(id=self.id)
        async for reply in self.daemon.follow(self.daemon.maps.Dump, request):
            check(reply.status)
            for entry in reply.entries:
                yield entry.key, entry.value

    async def _take(self, key: bytes) -> bytes | None:
        request = maps_pb2.TakeRequest(id=self.id, key=key)
        reply = await self.daemon.ask(self.daemon.maps.Take, request)
        if result_of(reply.status.code) is Result.OBJECT_NOT_FOUND:
            return None
        check(reply.status)
        return reply.value

    def _key(self, key: Key) -> bytes:
        return self._packed(key, self.key_size, "key")

    def _value(self, value: Value) -> bytes:
        if isinstance(value, bytes):
            return value
        if isinstance(value, int):
            return self._packed(value, self.value_size, "value")
        if len(value) != self.lanes or not value:
            room = f"for {self.lanes} lanes" if self.lanes else "for a map that is not per-CPU"
            raise ValueError(f"map {self.name}: {len(value)} values {room}")
        size = self.user_value_size // self.lanes
        return b"".join(
            self._packed(each, self.value_size, "value").ljust(size, b"\0") for each in value
        )

    def _packed(self, value: Key, size: int, what: str) -> bytes:
        if isinstance(value, bytes):
            return value
        try:
            return value.to_bytes(size, "little", signed=value < 0)
        except OverflowError:
            raise ValueError(
                f"map {self.name}: {value} does not fit a {what} of {size} bytes"
            ) from None


def number(value: bytes) -> int:
    """Read a key or a value of a map as an unsigned little-endian number."""
    return int.from_bytes(value, "little")


def map_of(message: maps_pb2.Map, daemon: Daemon) -> Map:
    """Read a map's description."""
    return Map(
        id=message.id,
        name=message.name,
        type=_type(message.type),
        type_name=message.type_name,
        key_size=message.key_size,
        value_size=message.value_size,
        max_entries=message.max_entries,
        flags=message.flags,
        program_ids=tuple(message.program_ids),
        user_value_size=message.user_value_size,
        lanes=message.lanes,
        count=message.count if message.HasField("count") else None,
        lost=message.lost,
        inner=_inner(message.inner) if message.HasField("inner") else None,
        created=message.created,
        holder_ids=tuple(message.holder_map_ids),
        pin_paths=tuple(message.pin_paths),
        owners=tuple(message.owners),
        provider=_provider(message.custom) if message.HasField("custom") else None,
        daemon=daemon,
    )


def _provider(message: maps_pb2.CustomMap) -> MapTypeProvider:
    return MapTypeProvider(
        message.provider,
        message.reason,
        message.stored_value_size,
        message.updates_original_value,
    )


def _inner(message: maps_pb2.InnerMap) -> InnerMap:
    return InnerMap(
        _type(message.type),
        message.type_name,
        message.key_size,
        message.value_size,
        message.max_entries,
    )


def _type(number_: int) -> MapType | int:
    return MapType(number_) if number_ in MapType._value2member_map_ else number_


def _split(column: bytes, count: int) -> list[bytes]:
    """Take a column of *count* equal cells apart."""
    size = len(column) // count
    return [column[index * size : (index + 1) * size] for index in range(count)]
