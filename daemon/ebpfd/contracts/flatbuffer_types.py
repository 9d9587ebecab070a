"""Types of a FlatBuffers schema, and how values of theirs are written and read.

What a field refers to is written before the table that it is a field of: ``prepare`` does so, and
gives what then goes into the field itself, which is the value of a number, or an offset.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol
from uuid import UUID

from flatbuffers import number_types  # pyright: ignore[reportMissingTypeStubs]

from ebpfd.contracts.flatbuffer import OFFSET_SIZE, Buffer
from ebpfd.contracts.validation import MAX_ARGUMENTS, ContractError
from ebpfd_api.prototype import ArgumentType


class Builder(Protocol):
    """What is used of ``flatbuffers.Builder``, with its types."""

    def StartObject(self, numfields: int) -> None: ...  # noqa: D102, N802
    def EndObject(self) -> int: ...  # noqa: D102, N802
    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int: ...  # noqa: D102, N802, N803
    def EndVector(self) -> int: ...  # noqa: D102, N802
    def CreateString(self, s: str) -> int: ...  # noqa: D102, N802
    def CreateByteVector(self, x: bytes) -> int: ...  # noqa: D102, N802
    def Prepend(self, flags: Any, off: int) -> None: ...  # noqa: D102, N802
    def PrependSlot(self, flags: Any, o: int, x: int, d: int) -> None: ...  # noqa: D102, N802
    def PrependUOffsetTRelative(self, off: int) -> None: ...  # noqa: D102, N802
    def PrependUOffsetTRelativeSlot(self, o: int, x: int, d: int) -> None: ...  # noqa: D102, N802
    def Finish(self, rootTable: int, file_identifier: bytes) -> int: ...  # noqa: D102, N802, N803
    def Output(self) -> bytearray: ...  # noqa: D102, N802


class Type(Protocol):
    """A type: the bytes of a field of it, and its two directions."""

    @property
    def size(self) -> int:
        """Bytes of a field."""
        ...

    def prepare(self, builder: Builder, value: Any) -> int:
        """Write what *value* refers to; the result goes into the field."""
        ...

    def append(self, builder: Builder, prepared: int) -> None:
        """Put it into a vector."""
        ...

    def put(self, builder: Builder, slot: int, prepared: int) -> None:
        """Put it into a field of the open table."""
        ...

    def read(self, buffer: Buffer, start: int, at: str) -> Any:
        """The value of the field at *start*; *at* names it in errors."""
        ...

    def absent(self, at: str) -> Any:
        """The value of a field that was left out."""
        ...


@dataclass(frozen=True, slots=True)
class Number:
    """An integer, or a boolean or a member of an enumeration if *make* makes one."""

    size: int = 4
    signed: bool = False
    default: int = 0
    make: Callable[[int], Any] = int

    def prepare(self, builder: Builder, value: Any) -> int:
        """Nothing is written beforehand."""
        del builder
        return int(value)

    def append(self, builder: Builder, prepared: int) -> None:
        """Write the number."""
        builder.Prepend(self._flags(), prepared)

    def put(self, builder: Builder, slot: int, prepared: int) -> None:
        """Write the number, unless it is the default."""
        builder.PrependSlot(self._flags(), slot, prepared, self.default)

    def read(self, buffer: Buffer, start: int, at: str) -> Any:
        """Read the number."""
        return self._made(buffer.number(start, self.size, at, signed=self.signed), at)

    def absent(self, at: str) -> Any:
        """The default."""
        return self._made(self.default, at)

    def _made(self, value: int, at: str) -> Any:
        try:
            return self.make(value)
        except ValueError:
            name = getattr(self.make, "__name__", "number")
            raise ContractError(at, f"{value} is no {name}") from None

    def _flags(self) -> Any:
        if self.signed:
            return number_types.Int32Flags
        return number_types.Uint8Flags if self.size == 1 else number_types.Uint32Flags


class _Reference:
    """What a field leads to by an offset."""

    size = OFFSET_SIZE

    def append(self, builder: Builder, prepared: int) -> None:
        """Write the offset."""
        builder.PrependUOffsetTRelative(prepared)

    def put(self, builder: Builder, slot: int, prepared: int) -> None:
        """Write the offset."""
        builder.PrependUOffsetTRelativeSlot(slot, prepared, 0)

    def absent(self, at: str) -> Any:
        """Refuse: the schema says that it is there."""
        raise ContractError(at, "is missing")


class Text(_Reference):
    """``string``; empty if it is left out."""

    def prepare(self, builder: Builder, value: Any) -> int:
        """Write the text."""
        return builder.CreateString(value)

    def read(self, buffer: Buffer, start: int, at: str) -> str:
        """Read the text."""
        return buffer.string(start, at)

    def absent(self, at: str) -> str:
        """No text."""
        del at
        return ""


class Octets(_Reference):
    """``[ubyte]``; empty if it is left out."""

    def prepare(self, builder: Builder, value: Any) -> int:
        """Write the bytes."""
        return builder.CreateByteVector(value)

    def read(self, buffer: Buffer, start: int, at: str) -> bytes:
        """Read the bytes."""
        return buffer.octets(start, at)

    def absent(self, at: str) -> bytes:
        """No bytes."""
        del at
        return b""


class Guid(_Reference):
    """``[ubyte]`` of 16, in RFC 4122 order."""

    def prepare(self, builder: Builder, value: Any) -> int:
        """Write the bytes."""
        return builder.CreateByteVector(value.bytes)

    def read(self, buffer: Buffer, start: int, at: str) -> UUID:
        """Read the bytes."""
        value = buffer.octets(start, at)
        if len(value) != 16:
            raise ContractError(at, f"a GUID has 16 bytes, not {len(value)}")
        return UUID(bytes=value)


@dataclass(frozen=True, slots=True)
class Many(_Reference):
    """``[of]``; *collect* makes a collection of the values, an empty one if it is left out."""

    of: Type
    collect: Callable[[Iterable[Any]], Any] = tuple

    def prepare(self, builder: Builder, value: Any) -> int:
        """Write the elements: sets in order, so that equal values have equal bytes."""
        ordered = value if self.collect is tuple else sorted(value)
        prepared = [self.of.prepare(builder, each) for each in ordered]
        builder.StartVector(self.of.size, len(prepared), self.of.size)
        for each in reversed(prepared):
            self.of.append(builder, each)
        return builder.EndVector()

    def read(self, buffer: Buffer, start: int, at: str) -> Any:
        """Read the elements."""
        first, count = buffer.vector(start, self.of.size, at)
        return self.collect(
            self.of.read(buffer, first + index * self.of.size, f"{at}[{index}]")
            for index in range(count)
        )

    def absent(self, at: str) -> Any:
        """No elements."""
        del at
        return self.collect(())


class Arguments(_Reference):
    """``[ArgumentType]``, without the DONTCARE that fill five places up."""

    _types = Many(Number(size=1, make=ArgumentType))

    def prepare(self, builder: Builder, value: Any) -> int:
        """Write those that a helper takes."""
        return self._types.prepare(
            builder, [each for each in value if each is not ArgumentType.DONTCARE]
        )

    def read(self, buffer: Buffer, start: int, at: str) -> Any:
        """Read them, and fill up."""
        given = self._types.read(buffer, start, at)
        if len(given) > MAX_ARGUMENTS:
            raise ContractError(at, f"{len(given)} are more than {MAX_ARGUMENTS}")
        return (*given, *[ArgumentType.DONTCARE] * (MAX_ARGUMENTS - len(given)))

    def absent(self, at: str) -> Any:
        """Five times DONTCARE."""
        del at
        return (ArgumentType.DONTCARE,) * MAX_ARGUMENTS


@dataclass(frozen=True, slots=True)
class Table(_Reference):
    """Fields in the order of the schema, by the names of the attributes of what *make* makes."""

    make: Callable[..., Any]
    members: Mapping[str, Type]
    transparent: bool = field(default=False, kw_only=True)
    """Whether errors leave its name out."""

    def prepare(self, builder: Builder, value: Any) -> int:
        """Write what its fields refer to, then the table."""
        prepared = [
            member.prepare(builder, getattr(value, name)) for name, member in self.members.items()
        ]
        builder.StartObject(len(prepared))
        for slot, (member, each) in enumerate(zip(self.members.values(), prepared, strict=True)):
            member.put(builder, slot, each)
        return builder.EndObject()

    def read(self, buffer: Buffer, start: int, at: str) -> Any:
        """Read the fields."""
        return self.read_at(buffer, buffer.followed(start, at), at)

    def read_at(self, buffer: Buffer, start: int, at: str) -> Any:
        """Read the table that begins at *start*."""
        sizes = tuple(member.size for member in self.members.values())
        places = buffer.table(start, sizes, at or "program_data")
        prefix = "" if self.transparent or not at else f"{at}."
        values: dict[str, Any] = {}
        for (name, member), place in zip(self.members.items(), places, strict=True):
            path = f"{prefix}{name}"
            values[name] = (
                member.absent(path) if place is None else member.read(buffer, place, path)
            )
        return self.make(**values)


def enumeration(kind: type[IntEnum]) -> Number:
    """An enumeration of one byte."""
    return Number(size=1, make=kind)


def boolean(*, default: bool = False) -> Number:
    """``bool``: one byte, anything but 0 is true."""
    return Number(size=1, default=default, make=bool)
