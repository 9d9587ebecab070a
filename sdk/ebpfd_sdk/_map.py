"""Maps, as a client holds them."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from enum import IntEnum

from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from ebpfd_api.v1 import maps_pb2
from ebpfd_sdk._answer import result_of
from ebpfd_sdk._daemon import Daemon
from ebpfd_sdk._decode import check


class MapUpdate(IntEnum):
    """What an update expects to find."""

    ANY = 0
    NOEXIST = 1
    EXIST = 2


@dataclass(frozen=True, slots=True)
class Map:
    """What programs and people share; keys and values are bytes, or ints to pack little-endian."""

    id: int
    name: str
    type: MapType | int
    type_name: str
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    program_ids: tuple[int, ...]
    daemon: Daemon = field(repr=False, compare=False)

    async def get(self, key: bytes | int) -> bytes | None:
        """Look up a value; None: there is none."""
        request = maps_pb2.LookupRequest(id=self.id, key=self._packed(key, self.key_size, "key"))
        reply = await self.daemon.ask(self.daemon.maps.Lookup, request)
        # As in eBPF for Windows: OBJECT_NOT_FOUND for the key, KEY_NOT_FOUND for the map.
        if result_of(reply.status.code) is Result.OBJECT_NOT_FOUND:
            return None
        check(reply.status)
        return reply.value

    async def set(
        self, key: bytes | int, value: bytes | int, update: MapUpdate = MapUpdate.ANY
    ) -> None:
        """Write a value."""
        request = maps_pb2.UpdateRequest(
            id=self.id,
            key=self._packed(key, self.key_size, "key"),
            value=self._packed(value, self.value_size, "value"),
            flags=update,
        )
        check((await self.daemon.ask(self.daemon.maps.Update, request)).status)

    async def delete(self, key: bytes | int) -> None:
        """Delete an entry; one that is not there is an error."""
        request = maps_pb2.DeleteRequest(id=self.id, key=self._packed(key, self.key_size, "key"))
        check((await self.daemon.ask(self.daemon.maps.Delete, request)).status)

    async def items(self) -> list[tuple[bytes, bytes]]:
        """Read all entries, in the map's own order."""
        return [item async for item in self._dump()]

    def __aiter__(self) -> AsyncIterator[tuple[bytes, bytes]]:
        return self._dump()

    async def _dump(self) -> AsyncGenerator[tuple[bytes, bytes]]:
        request = maps_pb2.DumpRequest(id=self.id)
        async for reply in self.daemon.follow(self.daemon.maps.Dump, request):
            check(reply.status)
            for entry in reply.entries:
                yield entry.key, entry.value

    def _packed(self, value: bytes | int, size: int, what: str) -> bytes:
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
    known = MapType._value2member_map_
    return Map(
        id=message.id,
        name=message.name,
        type=MapType(message.type) if message.type in known else message.type,
        type_name=message.type_name,
        key_size=message.key_size,
        value_size=message.value_size,
        max_entries=message.max_entries,
        flags=message.flags,
        program_ids=tuple(message.program_ids),
        daemon=daemon,
    )
