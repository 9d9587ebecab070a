"""Maps whose type an extension provides: made, used and given up together with their provider."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import Final
from uuid import UUID

import structlog

from ebpfd.contracts import MapProviderData
from ebpfd.errors import RequestError
from ebpfd.host.callbacks import Deadlines
from ebpfd.host.map_client import MapClient
from ebpfd.host.modules import MapModule
from ebpfd.host.new_custom_maps import Declared, base_map, custom_map, shape_of
from ebpfd.host.new_maps import NewMaps
from ebpfd.host.quotas import QuotaGuard
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd.objects import CustomMap, MapObject, MapShape, Objects
from ebpfd.objects.custom_maps import associate, create
from ebpfd_api.custom_map import MapOperation
from ebpfd_api.map_type import MapType, map_type_name
from ebpfd_api.npi import MAP_INFORMATION
from ebpfd_api.result import Result
from ebpfd_vm import EngineError

_GONE_FOR_PROGRAMS: Final = Result.EXTENSION_FAILED_TO_LOAD
"""Of a map that is being removed: to a program, a missing key is something else."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CustomMaps:
    """The daemon's custom maps, each with its registration as a client."""

    def __init__(
        self,
        *,
        registrar: RegistrarHost,
        objects: Objects,
        services: Services,
        deadlines: Deadlines,
        new_maps: NewMaps,
        survives: Callable[[MapObject], bool],
        guard: QuotaGuard | None = None,
    ) -> None:
        self._guard = guard or QuotaGuard()
        self._new_maps = new_maps
        self._survives = survives
        self._registrar = registrar
        self._objects = objects
        self._services = services
        self._deadlines = deadlines
        self._maps: dict[int, tuple[MapObject, MapClient]] = {}
        self._ending: dict[int, asyncio.Task[None]] = {}

    @property
    def most_unanswered(self) -> int:
        """Calls that a provider has not answered, of the map of which that are the most."""
        return max((client.unanswered for _, client in self._maps.values()), default=0)

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
        shape = shape_of(declared)
        map_id = self._objects.next_id()
        client = self._new_client(map_id, declared.name, shape)
        try:
            map_object = await self._made(client, declared, map_id, shape)
        except EngineError as error:
            await client.end()
            raise RequestError(Result(error.code), error.message) from None
        except BaseException:
            await client.end()
            raise
        assert map_object.custom is not None, "just made"
        self._publish(map_object, client, map_object.custom)
        return map_object

    async def revive(self, map_object: MapObject, data: MapProviderData, value_size: int) -> None:
        """Make a map of an earlier daemon, which has its base map, a custom one: it waits."""
        base = map_object.map
        shape = MapShape(data.map_type, base.key_size, value_size, base.max_entries)
        map_object.custom = custom_map(data, shape, base)
        client = self._new_client(map_object.id, map_object.name, shape)
        self._publish(map_object, client, map_object.custom)
        await client.register()

    async def _made(
        self, client: MapClient, declared: Declared, map_id: int, shape: MapShape
    ) -> MapObject:
        await client.register()
        data, provider = client.data, client.provider
        if data is None:
            raise _no_provider(shape.type, client.reason)
        try:
            base = await client.run(
                create(data, shape, partial(base_map, self._new_maps, declared))
            )
        except RequestError as error:
            if error.code is Result.EXTENSION_FAILED_TO_LOAD:
                raise _no_provider(shape.type, f"{provider}: {error.message}") from None
            raise
        return MapObject(map_id, base, custom=custom_map(data, shape, base, provider))

    def _new_client(self, map_id: int, name: str, shape: MapShape) -> MapClient:
        return MapClient(
            registrar=self._registrar,
            services=self._services,
            deadlines=self._deadlines,
            map_id=map_id,
            name=name,
            shape=shape,
            guard=self._guard,
        )

    def _publish(self, map_object: MapObject, client: MapClient, custom: CustomMap) -> None:
        map_object.when_gone.add(partial(self._end, map_object))
        self._maps[map_object.id] = map_object, client
        client.publish(custom)

    async def associate(self, map_object: MapObject, program_type: UUID) -> None:
        """A program of this type is about to use the map; its provider may refuse."""
        async with self._client(map_object.id).using() as custom:
            await self._client(map_object.id).run(associate(program_type.bytes))
            custom.program_types.add(program_type.bytes)

    async def lookup(self, map_object: MapObject, key: bytes) -> bytes:
        """The value of a key, as users see it."""
        async with self._client(map_object.id).using() as custom:
            return await self._client(map_object.id).run(custom.elements.find(key))

    async def update(self, map_object: MapObject, key: bytes, value: bytes, flags: int) -> None:
        """Write a value."""
        client = self._client(map_object.id)
        with self._new_maps.room.counting():
            await self._services.finish(_update(client, key, value, flags), name="update")

    async def delete(self, map_object: MapObject, key: bytes) -> None:
        """Delete a key."""
        client = self._client(map_object.id)
        await self._services.finish(_delete(client, key), name="delete")

    def owner(self, map_id: int) -> MapModule | None:
        """The extension that provides a map, if one does now."""
        found = self._maps.get(map_id)
        return found[1].owner if found else None

    async def update_by_program(
        self, map_id: int, key: bytes, value: bytes, flags: int, until: float
    ) -> None:
        """Write a value for a program; not if its turn comes after *until*, by the loop's clock."""
        client = self._client(map_id, missing=_GONE_FOR_PROGRAMS)
        with self._new_maps.room.counting():
            await _update(client, key, value, flags, until, MapOperation.HELPER)

    async def delete_by_program(self, map_id: int, key: bytes, until: float) -> None:
        """Delete a key likewise."""
        client = self._client(map_id, missing=_GONE_FOR_PROGRAMS)
        await _delete(client, key, until, MapOperation.HELPER)

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

    async def next_key(self, map_object: MapObject, after: bytes | None) -> bytes:
        """The key that follows; the base map alone knows."""
        async with self._client(map_object.id).using():
            return map_object.map.next_key(after)

    async def entries(self, map_object: MapObject) -> AsyncGenerator[tuple[bytes, bytes]]:
        """Every entry, as users see it; one that goes meanwhile is left out."""
        after: bytes | None = None
        while True:
            async with self._client(map_object.id).using() as custom:
                found = map_object.map.entries(after, 1)
                if not found:
                    return
                after = found[0][0]
                try:
                    value = await self._client(map_object.id).run(custom.elements.find(after))
                except EngineError:
                    continue
            yield after, value

    async def end(self, map_object: MapObject) -> None:
        """Nobody has the map any more: returns when its provider has nothing of it either."""
        self._end(map_object)
        if ending := self._ending.get(map_object.id):
            await asyncio.shield(ending)

    async def close(self) -> None:
        """End every map at the daemon's end, also those that pins keep: providers may leave."""
        for map_object, _ in tuple(self._maps.values()):
            self._end(map_object)
        await asyncio.gather(*self._ending.values())

    def _client(self, map_id: int, *, missing: Result = Result.KEY_NOT_FOUND) -> MapClient:
        found = self._maps.get(map_id)
        if found is None:
            raise RequestError(missing, f"map {map_id} is being removed")
        return found[1]

    def _end(self, map_object: MapObject) -> None:
        """Once: when nobody keeps the map any more, or the daemon ends."""
        found = self._maps.pop(map_object.id, None)
        if found is None:
            return
        ending = self._services.start(
            found[1].end(survives=self._survives(map_object)), name=f"end of map {map_object.id}"
        )
        self._ending[map_object.id] = ending
        ending.add_done_callback(lambda _: self._ending.pop(map_object.id, None))


async def _update(
    client: MapClient,
    key: bytes,
    value: bytes,
    flags: int,
    until: float = inf,
    by: MapOperation = MapOperation.NONE,
) -> None:
    async with client.using(key) as custom:
        _check_turn(until)
        await client.run(custom.elements.update(key, value, flags, by=by))


async def _delete(
    client: MapClient, key: bytes, until: float = inf, by: MapOperation = MapOperation.NONE
) -> None:
    async with client.using(key) as custom:
        _check_turn(until)
        await client.run(custom.elements.delete(key, by=by))


def _check_turn(until: float) -> None:
    if asyncio.get_running_loop().time() >= until:
        message = "others wrote this key until the deadline"
        raise RequestError(Result.TIMEOUT, message)


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


def _no_provider(map_type: int, reason: str) -> RequestError:
    message = f"map type {map_type_name(map_type)} ({map_type}): {reason}"
    return RequestError(Result.EXTENSION_FAILED_TO_LOAD, message)
