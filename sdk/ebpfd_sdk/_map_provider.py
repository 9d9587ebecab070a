"""The registrar's view of a map type; each map of the type is a client."""

import inspect
from collections.abc import Awaitable
from itertools import count
from typing import Generic, TypeAlias, TypeVar, cast
from uuid import UUID

from ebpfd_api.custom_map import MapFunction, MapOperation
from ebpfd_api.npi import MAP_INFORMATION
from ebpfd_api.result import Result
from ebpfd_api.v1 import contract_pb2, registrar_pb2
from ebpfd_sdk._custom_map import CustomMap
from ebpfd_sdk._errors import Refused
from ebpfd_sdk._provider import Provider
from ebpfd_sdk._tasks import logger

M = TypeVar("M", bound=CustomMap)
_Value = TypeVar("_Value")
Return: TypeAlias = registrar_pb2.MapReturn


_contexts = count(1)
"""Of maps: no two in this process have the same, whatever their types are."""


class MapTable(Generic[M]):
    """The maps of one type, over all connections."""

    def __init__(self) -> None:
        self.maps: dict[bytes, M] = {}
        """By the contexts that this connection's daemon has of them."""

        self.before: dict[int, M] = {}
        """By id: of an earlier connection, and perhaps there again."""


class MapProvider(Provider, Generic[M]):
    """Keeps an instance for each map, from its creation to its end, in *table*."""

    def __init__(
        self,
        guid: UUID,
        data: contract_pb2.MapProviderData,
        map_class: type[M],
        table: MapTable[M],
    ) -> None:
        self.guid = guid
        self.label = f"map type {data.name}"
        self._data = data
        self._map_class = map_class
        self._maps, self._before = table.maps, table.before
        self._of_binding: dict[int, set[bytes]] = {}

    def open(self) -> None:
        """Begin anew: maps of an earlier connection are there when the daemon says so."""
        self._before.update((each.id, each) for each in self._maps.values())
        self._maps.clear()
        self._of_binding.clear()

    def close(self, reason: str) -> None:
        """Tell whom the end will wait for."""
        if ids := sorted(each.id for each in self._maps.values()):
            listed = ", ".join(map(str, ids))
            logger.warning("%s: %s, and waits until these maps go: %s", self.label, reason, listed)

    def has_map(self, map_context: bytes) -> bool:
        """Whether it keeps the map of that context."""
        return map_context in self._maps

    def instance(self) -> registrar_pb2.RegistrationInstance:
        """Offer the type."""
        return registrar_pb2.RegistrationInstance(
            npi_id=MAP_INFORMATION.bytes,
            module_id=registrar_pb2.ModuleId(guid=self.guid.bytes),
            characteristics=registrar_pb2.Characteristics(map_provider_data=self._data),
        )

    async def detach(self, binding: int) -> None:
        """Put maps aside that were not destroyed: their daemon goes, and may come back."""
        for context in self._of_binding.pop(binding, ()):
            if (found := self._maps.pop(context, None)) is not None:
                self._before[found.id] = found

    async def call_map(self, call: registrar_pb2.MapCall) -> Return:
        """Do what the daemon asks; whatever a method raises is an answer too."""
        try:
            return await self._do(call)
        except Refused as refusal:
            return Return(result=refusal.result, message=refusal.message)
        except Exception as error:  # noqa: BLE001 (the extension's own code may raise anything)
            logger.exception("%s: %s failed", self.label, _name(call.function))
            message = f"{self.label}: {type(error).__name__}: {error}"
            return Return(result=Result.FAILED, message=message)

    async def _do(self, call: registrar_pb2.MapCall) -> Return:
        if call.function not in MapFunction._value2member_map_:
            message = f"{self.label} does not know {_name(call.function)}"
            return Return(result=Result.OPERATION_NOT_SUPPORTED, message=message)
        function = MapFunction(call.function)
        if function is MapFunction.PREPROCESS_MAP_CREATE:
            return await self._create(call)
        found = self._maps.get(call.map_context)
        if found is None:
            message = f"{self.label} has no map {call.map_id}"
            return Return(result=Result.INVALID_OBJECT, message=message)
        operation = MapOperation(call.flags)
        match function:
            case MapFunction.POSTPROCESS_MAP_DELETE:
                self._maps.pop(call.map_context, None)
                self._of_binding.get(call.binding, set()).discard(call.map_context)
                await _value(found.destroy())
            case MapFunction.PREPROCESS_ASSOCIATE_PROGRAM_TYPE:
                await _value(found.associate(UUID(bytes=call.program_type)))
            case MapFunction.POSTPROCESS_MAP_FIND_ELEMENT:
                return self._out_value(call, await _value(found.find(call.key, call.value)))
            case MapFunction.PREPROCESS_MAP_UPDATE_ELEMENT:
                return self._out_value(call, await _value(found.update(call.key, call.value)))
            case MapFunction.PREPROCESS_MAP_DELETE_ELEMENT:
                await _value(found.before_delete(call.key, call.value, operation))
            case MapFunction.POSTPROCESS_MAP_DELETE_ELEMENT:
                await _value(found.delete(call.key, call.value, operation))
        return Return()

    async def _create(self, call: registrar_pb2.MapCall) -> Return:
        made = self._before.pop(call.map_id, None)
        if made is None or not call.restored:
            made = self._map_class()
            made.id, made.restored = call.map_id, call.restored
            made.key_size, made.value_size = call.key_size, call.value_size
            made.max_entries = call.max_entries
            stored = await _value(made.create())
            made.stored_value_size = made.value_size if stored is None else stored
        made.restored = call.restored
        context = next(_contexts).to_bytes(8, "little")
        self._maps[context] = made
        self._of_binding.setdefault(call.binding, set()).add(context)
        return Return(actual_value_size=made.stored_value_size, map_context=context)

    def _out_value(self, call: registrar_pb2.MapCall, value: bytes | None) -> Return:
        if not self._data.base_properties.updates_original_value:
            return Return()
        if value is None:
            method = f"{self._map_class.__name__}, {_name(call.function)}"
            raise TypeError(f"{method}: a type that updates the original value returns one")
        return Return(out_value=value)


async def _value(value: _Value | Awaitable[_Value]) -> _Value:
    return cast("_Value", await value if inspect.isawaitable(value) else value)


def _name(function: int) -> str:
    known = MapFunction._value2member_map_
    return MapFunction(function).name.lower() if function in known else f"function {function}"
