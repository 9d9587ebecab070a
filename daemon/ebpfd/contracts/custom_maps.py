"""What a provider of a custom map type promises, and what makes sense of it."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from ebpfd.contracts.validation import ContractError
from ebpfd_api.custom_map import MapFunction
from ebpfd_api.map_type import MapType

_REQUIRED: Final = (
    MapFunction.PREPROCESS_MAP_CREATE,
    MapFunction.POSTPROCESS_MAP_DELETE,
    MapFunction.PREPROCESS_ASSOCIATE_PROGRAM_TYPE,
)
_TRANSLATING: Final = (
    MapFunction.POSTPROCESS_MAP_FIND_ELEMENT,
    MapFunction.PREPROCESS_MAP_UPDATE_ELEMENT,
)
_DELETING: Final = frozenset(
    {MapFunction.PREPROCESS_MAP_DELETE_ELEMENT, MapFunction.POSTPROCESS_MAP_DELETE_ELEMENT}
)
ELEMENT_FUNCTIONS: Final = frozenset({*_TRANSLATING, *_DELETING})
"""Those that are called for one element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapProviderData:
    """``ebpf_map_provider_data_t``: characteristics of a provider, with its type's name.

    With ``updates_original_value``, the value that is stored is not the one that users see.
    """

    map_type: int
    functions: AbstractSet[MapFunction]
    base_map_type: int = MapType.HASH
    updates_original_value: bool = False
    name: str = ""

    @property
    def element_functions(self) -> frozenset[MapFunction]:
        """Which of its functions are called for one element."""
        return ELEMENT_FUNCTIONS.intersection(self.functions)

    @property
    def hears_of_programs(self) -> bool:
        """Whether it must know of what programs write: where it updates values, they write none."""
        writes = self.element_functions - {MapFunction.POSTPROCESS_MAP_FIND_ELEMENT}
        return bool(writes) and not self.updates_original_value


@dataclass(frozen=True, slots=True, kw_only=True)
class MapClientData:
    """``ebpf_map_client_data_t``: characteristics of a client, with which map it is."""

    map_type: int
    map_id: int
    map_name: str = ""


def validate_map_provider(data: MapProviderData) -> None:
    """Raise ``ContractError`` for the first rule that *data* breaks: nothing attaches to it."""
    for function in _REQUIRED:
        if function not in data.functions:
            raise ContractError("base_provider_table", f"{function.name.lower()} is missing")
    if data.functions >= _DELETING:
        problem = "preprocess_map_delete_element and postprocess_map_delete_element: one will do"
        raise ContractError("base_provider_table", problem)
    if not data.updates_original_value:
        return
    for function in _TRANSLATING:
        if function not in data.functions:
            problem = f"{function.name.lower()} is missing: it updates the original value"
            raise ContractError("base_provider_table", problem)
    if not data.functions & _DELETING:
        problem = "postprocess_map_delete_element is missing: it updates the original value"
        raise ContractError("base_provider_table", problem)
