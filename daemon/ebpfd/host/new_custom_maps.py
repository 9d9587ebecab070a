"""What a custom map is made of: its shape, the base map with its entries, what programs get."""

from typing import Final, Protocol

from ebpfd.contracts import MapProviderData
from ebpfd.errors import RequestError
from ebpfd.host.new_maps import NewMaps
from ebpfd.objects import CustomMap, MapShape
from ebpfd.objects.custom_maps import Elements
from ebpfd.store import KeptMap
from ebpfd_api.map_type import FIRST_CUSTOM, FIRST_UNKNOWN, MapType
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, Map

MAX_ENTRY_BYTES: Final = 15 << 20
"""A key and its value, seen or stored: what surely fits into a message."""


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


def shape_of(declared: Declared) -> MapShape:
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


def base_map(new_maps: NewMaps, declared: Declared, stored_value_size: int) -> Map:
    """What keeps the entries."""
    _check_entry(declared.key_size, stored_value_size)
    return new_maps.make(
        KeptMap(
            MapType.HASH,
            declared.key_size,
            stored_value_size,
            declared.max_entries,
            name=declared.name,
            flags=declared.flags,
        )
    )


def custom_map(data: MapProviderData, shape: MapShape, base: Map, provider: str = "") -> CustomMap:
    """What a map of this type has beside its base map."""
    base.bind()
    size = base.value_size
    program_map = unwritable(shape, base.name) if data.updates_original_value else base
    return CustomMap(data, shape, size, Elements(data, shape, base, size), program_map, provider)


def unwritable(declared: Declared | MapShape, name: str) -> Map:
    """What a program sees of a map whose values its provider stores in its own way: nothing."""
    return Map(
        MapType.HASH,
        declared.key_size,
        declared.value_size,
        1,
        name=name,
        read_only=True,
    )


def _check_entry(key_size: int, value_size: int) -> None:
    if key_size + value_size > MAX_ENTRY_BYTES:
        message = (
            f"an entry of {key_size + value_size} bytes is more than the {MAX_ENTRY_BYTES} "
            "that a message carries"
        )
        raise RequestError(Result.INVALID_ARGUMENT, message)
