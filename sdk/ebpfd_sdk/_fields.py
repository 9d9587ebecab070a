"""The types that fields of a context and parameters of a helper may have.

Each is an ordinary ``int``, ``bytes`` or ``bytearray`` to Python and to type checkers; what it
is to a program rides along as ``Annotated`` metadata.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Final, TypeAlias, overload

from ebpfd_api.prototype import ArgumentType


class Place(Enum):
    """Pointers that the daemon fills in; they never travel."""

    DATA = "data"
    DATA_END = "data_end"
    DATA_META = "data_meta"


@dataclass(frozen=True, slots=True)
class Number:
    """An integer of fixed width; ``code`` is that of the struct module."""

    name: str
    code: str
    size: int

    def of(self, register: int) -> int:
        """Return what a 64-bit register holds when it is read as this type."""
        value: int = register & ((1 << 8 * self.size) - 1)
        signed = self.name.startswith("i")
        return value - (1 << 8 * self.size) if signed and value >> (8 * self.size - 1) else value


@dataclass(frozen=True, slots=True)
class Pointer:
    """Eight bytes that hold a pointer while the program runs."""

    place: Place


@dataclass(frozen=True, slots=True)
class Length:
    """Size of a byte array: ``Annotated[bytes, Length(16)]``."""

    size: int


@dataclass(frozen=True, slots=True)
class Memory:
    """A pointer argument that is followed by the size of what it points to."""

    pointer: ArgumentType


U8: TypeAlias = Annotated[int, Number("u8", "B", 1)]
U16: TypeAlias = Annotated[int, Number("u16", "H", 2)]
U32: TypeAlias = Annotated[int, Number("u32", "I", 4)]
U64: TypeAlias = Annotated[int, Number("u64", "Q", 8)]
I8: TypeAlias = Annotated[int, Number("i8", "b", 1)]
I16: TypeAlias = Annotated[int, Number("i16", "h", 2)]
I32: TypeAlias = Annotated[int, Number("i32", "i", 4)]
I64: TypeAlias = Annotated[int, Number("i64", "q", 8)]

Data: TypeAlias = Annotated[int, Pointer(Place.DATA)]
"""Start of the data of an event."""

DataEnd: TypeAlias = Annotated[int, Pointer(Place.DATA_END)]
"""One past the last byte of the data."""

DataMeta: TypeAlias = Annotated[int, Pointer(Place.DATA_META)]
"""Start of the metadata, which ends where the data starts."""

Integer: TypeAlias = Annotated[int, Number("i64", "q", 8)]
"""What a helper returns in r0."""

ReadableMemory: TypeAlias = Annotated[bytes, Memory(ArgumentType.PTR_TO_READABLE_MEM)]
"""Memory that the program passes with its size: one parameter here, two in the prototype."""

WritableMemory: TypeAlias = Annotated[bytearray, Memory(ArgumentType.PTR_TO_WRITABLE_MEM)]
"""The same, and what the helper writes into it goes back to the program."""


@dataclass(frozen=True, slots=True)
class Rights:
    """A field's default, and what programs may do with the field."""

    default: int | bytes
    writable: bool
    offered: bool


@overload
def read_only(default: bytes) -> bytes: ...
@overload
def read_only(default: int = 0) -> int: ...
def read_only(default: int | bytes = 0) -> Any:
    """Let programs read a field but not write it."""
    return Rights(default, writable=False, offered=True)


@overload
def hidden(default: bytes) -> bytes: ...
@overload
def hidden(default: int = 0) -> int: ...
def hidden(default: int | bytes = 0) -> Any:
    """Offer a field to no program: it is for the extension and its helpers."""
    return Rights(default, writable=False, offered=False)


METADATA: Final = (Number, Pointer, Length, Memory)
FieldMeaning: TypeAlias = Number | Pointer | Length | Memory


def meaning(annotation: object) -> FieldMeaning | None:
    """Find what an annotation means to a program; None if nothing."""
    metadata: tuple[object, ...] = getattr(annotation, "__metadata__", ())
    for item in metadata:
        if isinstance(item, METADATA):
            return item
    return None
