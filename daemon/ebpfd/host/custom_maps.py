"""Maps whose type an extension provides: made, used and given up together with their provider."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Final, Protocol
from uuid import UUID

import structlog

from ebpfd.contracts import MapProviderData
from ebpfd.errors import RequestError
from ebpfd.host.callbacks import Deadlines
from ebpfd.host.map_client import MapClient
from ebpfd.host.map_uses import helpers_called_on_maps
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd.objects import CustomMap, MapObject, MapShape, Objects
from ebpfd.objects.custom_maps import Elements, associate, create
from ebpfd_api.map_type import FIRST_CUSTOM, FIRST_UNKNOWN, MapType, map_type_name
from ebpfd_api.npi import MAP_INFORMATION
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, Map, ProgramSpec

MAX_ENTRY_BYTES: Final = 15 << 20
"""A key and its value, seen or stored: what surely fits into a message."""

ELEMENT_HELPERS: Final = MappingProxyType(
    {
        1: "bpf_map_lookup_elem",
        2: "bpf_map_update_elem",
        3: "bpf_map_delete_elem",
        4: "bpf_map_lookup_and_delete_elem",
    }
)

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Declared(Protocol):
    """What a map shall be: by a user's words, or an object file's."""

    @property
    def type(self) -> int:
        """``bpf_map_type``."""
        ...

    @property
    def key_size(self) -> int:
        """Bytes."""
        ...

    @property
    def value_size(self) -> int:
        """Bytes that users see."""
        ...

    @property
    def max_entries(self) -> int:
        """The most that the map holds."""
        ...

    @property
    def flags(self) -> int:
        """Of the base map."""
        ...

    @property
    def name(self) -> str:
        """What people call it."""
        ...


def is_custom(map_type: int) -> bool:
    """Whether maps of this type have a provider, if they can be at all."""
    return map_type >= FIRST_CUSTOM


class CustomMaps:
    """The daemon's custom maps, each with its registration as a client."""

    def __init__(
        self,
        *,
        registrar: RegistrarHost,
        objects: Objects,
        services: Services,
        deadlines: Deadlines,
    ) -> None:
        self._registrar = registrar
        self._objects = objects
        self._services = services
        self._deadlines = deadlines
        self._clients: dict[int, MapClient] = {}
        self._ending: dict[int, asyncio.Task[None]] = {}

    def type_number(self, name: str) -> int:
        """The type of that name, or that a connected extension calls so."""
        offered = {
            data.name: data.map_type
            for each in self._registrar.providers(MAP_INFORMATION)
            if isinstance(data := each.instance.characteristics, MapProviderData)
        }
        known = {each.name.lower(): int(each) for each in MapType if each} | offered
        if name in known:
            return known[name]
        message = f'"{name}" is no map type: {", ".join(known)}'
        raise RequestError(Result.INVALID_ARGUMENT, message)

    async def create(self, declared: Declared) -> MapObject:
        """A map that nobody has yet; it ends when it is dropped from the objects, or by ``end``."""
        shape = _shape(declared)
        map_id = self._objects.next_id()
        client = MapClient(
            registrar=self._registrar,
            services=self._services,
            deadlines=self._deadlines,
            map_id=map_id,
            name=declared.name,
            shape=shape,
        )
        try:
            map_object = await _made(client, declared, map_id, shape)
        except EngineError as error:
            await client.end()
            raise RequestError(Result(error.code), error.message) from None
        except BaseException:
            await client.end()
            raise
        assert map_object.custom is not None, "just made"
        map_object.when_gone.add(partial(self._end, map_id))
        self._clients[map_id] = client
        client.publish(map_object.custom)
        return map_object

    async def associate(self, map_object: MapObject, program_type: UUID) -> None:
        """A program of this type is about to use the map; its provider may refuse."""
        async with self._client(map_object).using() as custom:
            await self._client(map_object).run(associate(program_type.bytes))
            custom.program_types.add(program_type.bytes)

    async def lookup(self, map_object: MapObject, key: bytes) -> bytes:
        """The value of a key, as users see it."""
        async with self._client(map_object).using() as custom:
            return await self._client(map_object).run(custom.elements.find(key))

    async def update(self, map_object: MapObject, key: bytes, value: bytes, flags: int) -> None:
        """Write a value."""
        await self._services.finish(self._update(map_object, key, value, flags), name="update")

    async def delete(self, map_object: MapObject, key: bytes) -> None:
        """Delete a key."""
        await self._services.finish(self._delete(map_object, key), name="delete")

    async def update_batch(
        self, map_object: MapObject, keys: bytes, values: bytes, flags: int
    ) -> None:
        """Write values one after the other until one fails; the error says which."""
        assert map_object.custom is not None, "whoever calls this knows"
        size = map_object.custom.shape.value_size
        each = _split(keys, map_object.map.key_size)
        if len(values) != len(each) * size:
            message = (
                f"values have {len(values)} bytes, "
                f"{len(each)} values of this map have {len(each) * size}"
            )
            raise RequestError(Result.INVALID_ARGUMENT, message)
        for index, (key, start) in enumerate(zip(each, range(0, len(values), size), strict=True)):
            with _at(index):
                await self.update(map_object, key, values[start : start + size], flags)

    async def delete_batch(self, map_object: MapObject, keys: bytes) -> None:
        """Delete keys one after the other until one fails; the error says which."""
        for index, key in enumerate(_split(keys, map_object.map.key_size)):
            with _at(index):
                await self.delete(map_object, key)

    async def _update(self, map_object: MapObject, key: bytes, value: bytes, flags: int) -> None:
        async with self._client(map_object).using(key) as custom:
            await self._client(map_object).run(custom.elements.update(key, value, flags))

    async def _delete(self, map_object: MapObject, key: bytes) -> None:
        async with self._client(map_object).using(key) as custom:
            await self._client(map_object).run(custom.elements.delete(key))

    async def next_key(self, map_object: MapObject, after: bytes | None) -> bytes:
        """The key that follows; the base map alone knows."""
        async with self._client(map_object).using():
            return map_object.map.next_key(after)

    async def entries(self, map_object: MapObject) -> AsyncGenerator[tuple[bytes, bytes]]:
        """Every entry, as users see it; one that goes meanwhile is left out."""
        after: bytes | None = None
        while True:
            async with self._client(map_object).using() as custom:
                found = map_object.map.entries(after, 1)
                if not found:
                    return
                after = found[0][0]
                try:
                    value = await self._client(map_object).run(custom.elements.find(after))
                except EngineError:
                    continue
            yield after, value

    async def end(self, map_object: MapObject) -> None:
        """Nobody has the map any more: returns when its provider has nothing of it either."""
        self._end(map_object.id)
        if ending := self._ending.get(map_object.id):
            await asyncio.shield(ending)

    async def close(self) -> None:
        """End every map at the daemon's end, also those that pins keep: providers may leave."""
        for map_id in tuple(self._clients):
            self._end(map_id)
        await asyncio.gather(*self._ending.values())

    def _client(self, map_object: MapObject) -> MapClient:
        client = self._clients.get(map_object.id)
        if client is None:
            message = f"map {map_object.id} is being removed"
            raise RequestError(Result.KEY_NOT_FOUND, message)
        return client

    def _end(self, map_id: int) -> None:
        """Once: when nobody keeps the map any more, or an attempt to make it has failed."""
        client = self._clients.pop(map_id, None)
        if client is None:
            return
        ending = self._services.start(client.end(), name=f"end of map {map_id}")
        self._ending[map_id] = ending
        ending.add_done_callback(lambda _: self._ending.pop(map_id, None))


async def _made(client: MapClient, declared: Declared, map_id: int, shape: MapShape) -> MapObject:
    await client.register()
    data, provider = client.data, client.provider
    if data is None:
        raise _no_provider(shape.type, client.reason)
    try:
        base = await client.run(create(data, shape, partial(_base, declared)))
    except RequestError as error:
        if error.code is Result.EXTENSION_FAILED_TO_LOAD:
            raise _no_provider(shape.type, f"{provider}: {error.message}") from None
        raise
    size = base.value_size
    program_map = base if not data.element_functions else unwritable(declared)
    elements = Elements(data, shape, base, size)
    custom = CustomMap(data, shape, size, elements, program_map, provider)
    return MapObject(map_id, base, custom=custom)


def check_uses(map_object: MapObject, spec: ProgramSpec, index: int) -> None:
    """Elements that a provider must know of, programs cannot touch: *index* is the map's place."""
    custom = map_object.custom
    if custom is None or custom.program_map is map_object.map:
        return
    for helper_id, used in helpers_called_on_maps(spec.instructions):
        if used == index and helper_id in ELEMENT_HELPERS:
            message = (
                f"program {spec.name} calls {ELEMENT_HELPERS[helper_id]} for map "
                f"{map_object.name}: {custom.provider} provides its type and keeps account of its "
                "elements, so programs can only pass it to helpers of extensions"
            )
            raise RequestError(Result.OPERATION_NOT_SUPPORTED, message)


def _shape(declared: Declared) -> MapShape:
    """Check what needs no provider."""
    if declared.type >= FIRST_UNKNOWN:
        message = f"type is {declared.type}: types are below {FIRST_UNKNOWN}"
        raise RequestError(Result.INVALID_ARGUMENT, message)
    try:
        Map(
            MapType.HASH, declared.key_size, declared.value_size, 1,
            name=declared.name, flags=declared.flags,
        )  # fmt: skip
    except EngineError as error:
        raise RequestError(Result(error.code), error.message) from None
    if declared.max_entries == 0:
        raise RequestError(Result.INVALID_ARGUMENT, "max_entries must not be 0")
    _check_entry(declared.key_size, declared.value_size)
    return MapShape(declared.type, declared.key_size, declared.value_size, declared.max_entries)


def _base(declared: Declared, stored_value_size: int) -> Map:
    """What keeps the entries."""
    _check_entry(declared.key_size, stored_value_size)
    return Map(
        MapType.HASH,
        declared.key_size,
        stored_value_size,
        declared.max_entries,
        name=declared.name,
        flags=declared.flags,
    )


def unwritable(declared: Declared) -> Map:
    """What a program sees of a map whose elements its provider must know of: nothing."""
    return Map(
        MapType.HASH,
        declared.key_size,
        declared.value_size,
        1,
        name=declared.name,
        read_only=True,
    )


def _split(keys: bytes, size: int) -> list[bytes]:
    if not keys or len(keys) % size:
        message = f"keys have {len(keys)} bytes: they must be one or more keys of {size} bytes"
        raise RequestError(Result.INVALID_ARGUMENT, message)
    return [keys[start : start + size] for start in range(0, len(keys), size)]


@contextmanager
def _at(index: int) -> Generator[None]:
    """An error within the block says which entry it is of."""
    try:
        yield
    except EngineError as error:
        raise RequestError(Result(error.code), f"entry {index}: {error.message}") from None
    except RequestError as error:
        raise RequestError(error.code, f"entry {index}: {error.message}") from None


def _check_entry(key_size: int, value_size: int) -> None:
    if key_size + value_size > MAX_ENTRY_BYTES:
        message = (
            f"an entry of {key_size + value_size} bytes is more than the {MAX_ENTRY_BYTES} "
            "that a message carries"
        )
        raise RequestError(Result.INVALID_ARGUMENT, message)


def _no_provider(map_type: int, reason: str) -> RequestError:
    message = f"map type {map_type_name(map_type)} ({map_type}): {reason}"
    return RequestError(Result.EXTENSION_FAILED_TO_LOAD, message)
