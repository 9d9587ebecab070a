"""Where the fields of a context lie: C's rules for a struct, computed once for each class.

    offset   each field at the next multiple of its own size (arrays: of one byte)
    size     rounded up to the largest alignment, as a C compiler pads a struct's tail

Numbers are little-endian.  Pointers are eight bytes of zeros on the wire.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, assert_never

from ebpfd_api.v1 import contract_pb2
from ebpfd_sdk._errors import DeclarationError
from ebpfd_sdk._fields import FieldMeaning, Length, Memory, Number, Place, Pointer, Rights

SMALLEST: Final = 16
"""No contract of eBPF for Windows takes a smaller context."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a context, in its place."""

    name: str
    type: Number | Pointer | Length
    offset: int
    rights: Rights

    @property
    def size(self) -> int:
        """Bytes."""
        return 8 if isinstance(self.type, Pointer) else self.type.size

    @property
    def type_name(self) -> str:
        """As an author would write it in C."""
        match self.type:
            case Number(name=name):
                return name
            case Pointer(place=place):
                return place.value
            case Length(size=size):
                return f"u8[{size}]"
            case _ as never:
                assert_never(never)


class Layout:
    """The bytes of one class of contexts."""

    def __init__(self, owner: str, fields: tuple[Field, ...], size: int) -> None:
        self.owner = owner
        self.fields = fields
        self.size = size
        self.zeros = bytes(size)
        values = tuple(field for field in fields if not isinstance(field.type, Pointer))
        self.names = tuple(field.name for field in values)
        self.settable = frozenset(self.names)
        self.arrays = tuple(field for field in values if isinstance(field.type, Length))
        types = {field.type for field in fields}
        self.has_data = Pointer(Place.DATA) in types
        self.has_meta = Pointer(Place.DATA_META) in types
        self.struct = struct.Struct(_format(fields, size))
        self.values_of = _getter(self.names)

    def pack(self, instance: object) -> bytes:
        """Lay out the field values of *instance*."""
        values = self.values_of(instance)
        try:
            packed = self.struct.pack(*values)
        except struct.error:
            raise self._misfit(values) from None
        # struct cuts longer bytes without a word.
        if any(len(getattr(instance, field.name)) > field.size for field in self.arrays):
            raise self._misfit(values)
        return packed

    def unpack(self, raw: bytes) -> dict[str, int | bytes]:
        """Read the values of all fields but the pointers."""
        if len(raw) < self.size:
            raise ValueError(f"{self.owner} takes {self.size} bytes, not {len(raw)}")
        return dict(zip(self.names, self.struct.unpack_from(raw), strict=True))

    def dtype(self) -> dict[str, Any]:
        """Say where the fields are, as ``numpy.dtype`` takes it; pointers are numbers there."""
        return {
            "names": [field.name for field in self.fields],
            "formats": [_numpy_format(field.type) for field in self.fields],
            "offsets": [field.offset for field in self.fields],
            "itemsize": self.size,
        }

    def descriptor(self) -> contract_pb2.ContextDescriptor:
        """Say where the pointers are, as eBPF for Windows does."""
        at = {f.type.place: f.offset for f in self.fields if isinstance(f.type, Pointer)}
        return contract_pb2.ContextDescriptor(
            size=self.size,
            data=at.get(Place.DATA, -1),
            end=at.get(Place.DATA_END, -1),
            meta=at.get(Place.DATA_META, -1),
        )

    def offered(self) -> list[contract_pb2.ContextField]:
        """List the fields, and what programs may do with each."""
        return [
            contract_pb2.ContextField(
                name=field.name,
                offset=field.offset,
                size=field.size,
                writable=field.rights.writable,
                hidden=not field.rights.offered,
                type=field.type_name,
            )
            for field in self.fields
        ]

    def _misfit(self, values: tuple[int | bytes, ...]) -> ValueError:
        typed = [field for field in self.fields if field.name in self.settable]
        for field, value in zip(typed, values, strict=True):
            if not _fits(field, value):
                return ValueError(
                    f"{self.owner}.{field.name} is a {field.type_name}, {value!r} does not fit"
                )
        return ValueError(f"{self.owner} cannot be laid out")


def lay_out(
    owner: str, types: Mapping[str, FieldMeaning | None], rights: Mapping[str, Rights]
) -> Layout:
    """Give every field its place, or say which declaration is wrong."""
    offset, alignment, fields = 0, 1, list[Field]()
    for name, type_ in types.items():
        match type_:
            case Number(size=size):
                step = size
            case Pointer():
                size = step = 8
            case Length(size=size) if size > 0:
                step = 1
            case None | Memory() | Length():
                raise DeclarationError(
                    f"{owner}.{name}: not a type of a field; use U8 to U64, I8 to I64, Data, "
                    "DataEnd, DataMeta, or Annotated[bytes, Length(n)]"
                )
            case _ as never:
                assert_never(never)
        offset += -offset % step
        fields.append(Field(name, type_, offset, rights[name]))
        offset, alignment = offset + size, max(alignment, step)
    _check_pointers(owner, fields)
    size = offset + -offset % alignment
    if size < SMALLEST:
        raise DeclarationError(
            f"{owner} has {size} bytes; a context needs {SMALLEST} at least: add fields"
        )
    return Layout(owner, tuple(fields), size)


def _check_pointers(owner: str, fields: list[Field]) -> None:
    seen: dict[Place, Field] = {}
    for field in fields:
        if isinstance(field.type, Pointer):
            if first := seen.get(field.type.place):
                raise DeclarationError(
                    f"{owner}.{field.name}: {first.name} is {field.type.place.value} already"
                )
            seen[field.type.place] = field
    start, end = seen.get(Place.DATA), seen.get(Place.DATA_END)
    if start and not end:
        raise DeclarationError(f"{owner}.{start.name}: Data needs a field of type DataEnd")
    for other in (end, seen.get(Place.DATA_META)):
        if other and not start:
            raise DeclarationError(f"{owner}.{other.name}: it needs a field of type Data")


def _format(fields: tuple[Field, ...], size: int) -> str:
    """Write the struct format, with every gap as explicit padding."""
    parts, at = ["<"], 0
    for field in fields:
        parts.append(f"{field.offset - at}x")
        match field.type:
            case Number(code=code):
                parts.append(code)
            case Pointer():
                parts.append("8x")
            case Length(size=length):
                parts.append(f"{length}s")
            case _ as never:
                assert_never(never)
        at = field.offset + field.size
    return "".join([*parts, f"{size - at}x"])


def _numpy_format(type_: Number | Pointer | Length) -> object:
    match type_:
        case Number(name=name, size=size):
            return f"<{name[0]}{size}"
        case Pointer():
            return "<u8"
        case Length(size=size):
            return "u1", (size,)
        case _ as never:
            assert_never(never)


def _getter(names: tuple[str, ...]) -> Callable[[object], tuple[int | bytes, ...]]:
    """Read all values at once; attrgetter gives a tuple for two names and more only."""
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda _: ()
    get = attrgetter(names[0])
    return lambda instance: (get(instance),)


def _fits(field: Field, value: object) -> bool:
    match field.type:
        case Number(code=code):
            try:
                struct.pack(f"<{code}", value)
            except struct.error:
                return False
            return True
        case Length(size=size):
            return isinstance(value, bytes) and len(value) <= size
        case Pointer():
            return True
        case _ as never:
            assert_never(never)
