"""Map types: which functions a class of maps has, and what the daemon is told of them."""

from types import MappingProxyType
from typing import Final, Generic, TypeVar
from uuid import UUID, uuid5

from ebpfd_api.custom_map import MapFunction
from ebpfd_api.map_type import FIRST_CUSTOM, FIRST_UNKNOWN, MapType
from ebpfd_api.npi import MAP_INFORMATION
from ebpfd_api.v1 import contract_pb2
from ebpfd_sdk._custom_map import CustomMap
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._errors import DeclarationError
from ebpfd_sdk._guid import guid_of
from ebpfd_sdk._map_provider import MapProvider, MapTable
from ebpfd_sdk._provider import Declaration, Provider

M = TypeVar("M", bound=CustomMap)

_OPTIONAL: Final = MappingProxyType(
    {
        MapFunction.POSTPROCESS_MAP_FIND_ELEMENT: "find",
        MapFunction.PREPROCESS_MAP_UPDATE_ELEMENT: "update",
        MapFunction.PREPROCESS_MAP_DELETE_ELEMENT: "before_delete",
        MapFunction.POSTPROCESS_MAP_DELETE_ELEMENT: "delete",
    }
)


class CustomMapType(Declaration, Generic[M]):
    """A map type: its number, its name, and the class of its maps.

    With *updates_original_value*, values are stored otherwise than users see them.
    """

    def __init__(
        self,
        number: MapType | int,
        map_class: type[M],
        *,
        name: str | None = None,
        guid: str | UUID | None = None,
        updates_original_value: bool = False,
    ) -> None:
        self.name = name or map_class.__name__
        if not FIRST_CUSTOM <= number < FIRST_UNKNOWN:
            own = f"{FIRST_CUSTOM} to {FIRST_UNKNOWN - 1}"
            raise DeclarationError(f"map type {self.name}: {number} is not one of {own}")
        self.number = int(number)
        self._map_class = map_class
        self.guid = (
            guid_of(f"map type {self.name}", guid) if guid else uuid5(MAP_INFORMATION, self.name)
        )
        self.updates_original_value = updates_original_value
        self.functions = frozenset(
            function
            for function in MapFunction
            if (method := _OPTIONAL.get(function)) is None
            or getattr(map_class, method) is not getattr(CustomMap, method)
        )
        self._table = MapTable[M]()
        self._check()

    @property
    def maps(self) -> tuple[M, ...]:
        """The maps that there are now."""
        return tuple(self._table.maps.values())

    def map(self, id_: int) -> M:
        """The map with this id, as a helper is passed it; KeyError if it is not of this type."""
        for each in self._table.maps.values():
            if each.id == id_:
                return each
        raise KeyError(id_)

    def provider(self, streams: DataStreams) -> Provider:  # noqa: ARG002 (only hooks send)
        """Make the registrar's view of the type; for the extension, not for authors."""
        return MapProvider(self.guid, self.provider_data(), self._map_class, self._table)

    def provider_data(self) -> contract_pb2.MapProviderData:
        """Say what is called of the type's maps."""
        return contract_pb2.MapProviderData(
            map_type=self.number,
            base_map_type=MapType.HASH,
            base_properties=contract_pb2.BaseMapProperties(
                updates_original_value=self.updates_original_value
            ),
            base_provider_table=[
                contract_pb2.MapFunction.Name(each) for each in sorted(self.functions)
            ],
            name=self.name,
        )

    def _check(self) -> None:
        where = f"map type {self.name}"
        has = {method for function, method in _OPTIONAL.items() if function in self.functions}
        if has >= {"delete", "before_delete"}:
            raise DeclarationError(
                f"{where}: {self._map_class.__name__} has delete and before_delete"
            )
        if self.updates_original_value:
            missing = {"find", "update"} - has
            if not has & {"delete", "before_delete"}:
                missing.add("delete")
            if missing:
                raise DeclarationError(
                    f"{where} updates the original value: {self._map_class.__name__} needs "
                    f"{', '.join(sorted(missing))}"
                )
