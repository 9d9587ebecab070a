"""Types of an IDL, and how values of theirs are written and read.

A structure is written as a whole, then what its pointers point to, in their order; each of those is
written in the same way.  So pointers never nest deeper than the types do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

from ebpfd.contracts.ndr import Reader, Writer
from ebpfd.contracts.validation import ContractError

Deferred = list[Callable[[], None]]
Store = Callable[[Any], None]


class Type(Protocol):
    """A type: its alignment, the bytes that a value takes at least, and its two directions."""

    @property
    def alignment(self) -> int:
        """A value begins at a multiple of so many bytes."""
        ...

    @property
    def least(self) -> int:
        """Bytes of the smallest value, without what it points to."""
        ...

    def write(self, writer: Writer, value: Any, deferred: Deferred) -> None:
        """Write *value*; what it points to is left for *deferred*."""
        ...

    def read(self, reader: Reader, at: str, store: Store, deferred: Deferred) -> None:
        """Give a value to *store*, now or when *deferred* is called; *at* names it in errors."""
        ...


@dataclass(frozen=True, slots=True)
class Number:
    """An integer of *size* bytes; of an enumeration if *kind* is one."""

    size: int = 4
    signed: bool = False
    kind: type[IntEnum] | None = None

    @property
    def alignment(self) -> int:
        """Its size."""
        return self.size

    @property
    def least(self) -> int:
        """Its size."""
        return self.size

    def write(self, writer: Writer, value: Any, deferred: Deferred) -> None:
        """Write the number."""
        del deferred
        if self.signed:
            writer.signed(value)
        else:
            writer.number(int(value), self.size)

    def read(self, reader: Reader, at: str, store: Store, deferred: Deferred) -> None:
        """Read the number."""
        del deferred
        value = reader.signed(at) if self.signed else reader.number(self.size, at)
        if self.kind is None:
            store(value)
            return
        try:
            store(self.kind(value))
        except ValueError:
            raise ContractError(at, f"{value} is no {self.kind.__name__}") from None


@dataclass(frozen=True, slots=True)
class Boolean:
    """One byte."""

    alignment: int = 1
    least: int = 1

    def write(self, writer: Writer, value: Any, deferred: Deferred) -> None:
        """Write 0 or 1."""
        del deferred
        writer.number(int(value), 1)

    def read(self, reader: Reader, at: str, store: Store, deferred: Deferred) -> None:
        """Read 0 or 1."""
        del deferred
        store(reader.boolean(at))


@dataclass(frozen=True, slots=True)
class Guid:
    """``GUID``."""

    alignment: int = 4
    least: int = 16

    def write(self, writer: Writer, value: Any, deferred: Deferred) -> None:
        """Write its 16 bytes."""
        del deferred
        writer.guid(value)

    def read(self, reader: Reader, at: str, store: Store, deferred: Deferred) -> None:
        """Read its 16 bytes."""
        del deferred
        store(reader.guid(at))


@dataclass(frozen=True, slots=True)
class Text:
    """``[string] char *``, never NULL."""

    alignment: int = 4
    least: int = 4

    def write(self, writer: Writer, value: Any, deferred: Deferred) -> None:
        """Write a referent, and the text later."""
        writer.referent()
        deferred.append(lambda: writer.string(value))

    def read(self, reader: Reader, at: str, store: Store, deferred: Deferred) -> None:
        """Read a referent, and the text later."""
        _present(reader, at)
        deferred.append(lambda: store(reader.string(at)))


@dataclass(frozen=True, slots=True)
class Octets:
    """``[size_is(…)] byte *`` behind its size; NULL if it has none."""

    alignment: int = 4
    least: int = 8

    def write(self, writer: Writer, value: Any, deferred: Deferred) -> None:
        """Write size and referent, and the bytes later."""
        writer.number(len(value), 4)
        writer.referent(null=not value)
        if value:
            deferred.append(lambda: writer.octets(value))

    def read(self, reader: Reader, at: str, store: Store, deferred: Deferred) -> None:
        """Read size and referent, and the bytes later."""
        size = reader.number(4, at)

        def later() -> None:
            value = reader.octets(at)
            _same_count(size, len(value), at)
            store(value)

        if reader.referent(at):
            deferred.append(later)
        else:
            _same_count(size, 0, at)
            store(b"")


@dataclass(frozen=True, slots=True)
class Fixed:
    """An array of so many members that stands where it is declared: ``of name[count]``."""

    of: Type
    count: int

    @property
    def alignment(self) -> int:
        """That of its members."""
        return self.of.alignment

    @property
    def least(self) -> int:
        """All of them."""
        return self.count * self.of.least

    def write(self, writer: Writer, value: Any, deferred: Deferred) -> None:
        """Write the members."""
        for each in value:
            self.of.write(writer, each, deferred)

    def read(self, reader: Reader, at: str, store: Store, deferred: Deferred) -> None:
        """Read the members; they must not point anywhere."""
        members: list[Any] = []
        for index in range(self.count):
            self.of.read(reader, f"{at}[{index}]", members.append, deferred)
        store(tuple(members))


@dataclass(frozen=True, slots=True)
class Many:
    """``[size_is(count)] of *`` behind its count; NULL if there are none."""

    of: Type
    alignment: int = 4
    least: int = 8

    def write(self, writer: Writer, value: Any, deferred: Deferred) -> None:
        """Write count and referent, and the members later."""
        members = list(value)
        writer.number(len(members), 4)
        writer.referent(null=not members)

        def later() -> None:
            writer.number(len(members), 4)
            pointed: Deferred = []
            for each in members:
                self.of.write(writer, each, pointed)
            _run(pointed)

        if members:
            deferred.append(later)

    def read(self, reader: Reader, at: str, store: Store, deferred: Deferred) -> None:
        """Read count and referent, and the members later."""
        declared = reader.number(4, at)

        def later() -> None:
            count = reader.count(self.of.least, at)
            _same_count(declared, count, at)
            members: list[Any] = [None] * count
            pointed: Deferred = []
            for index in range(count):
                put = _put(members, index)
                self.of.read(reader, f"{at}[{index}]", put, pointed)
            _run(pointed)
            store(tuple(members))

        if reader.referent(at):
            deferred.append(later)
        else:
            _same_count(declared, 0, at)
            store(())


@dataclass(frozen=True, slots=True)
class Struct:
    """Members in order, by the names of the attributes of what *make* makes."""

    make: Callable[..., Any]
    members: Mapping[str, Type]
    transparent: bool = field(default=False, kw_only=True)
    """Whether errors leave its name out."""

    @property
    def alignment(self) -> int:
        """The largest of its members'."""
        return max(member.alignment for member in self.members.values())

    @property
    def least(self) -> int:
        """Without padding."""
        return sum(member.least for member in self.members.values())

    def write(self, writer: Writer, value: Any, deferred: Deferred) -> None:
        """Write the members."""
        writer.align(self.alignment)
        for name, member in self.members.items():
            member.write(writer, getattr(value, name), deferred)

    def read(self, reader: Reader, at: str, store: Store, deferred: Deferred) -> None:
        """Read the members; the value is made when all of them are there."""
        reader.align(self.alignment, at)
        values: dict[str, Any] = {}
        prefix = "" if self.transparent or not at else f"{at}."
        for name, member in self.members.items():
            member.read(reader, f"{prefix}{name}", _put(values, name), deferred)
        deferred.append(lambda: store(self.make(**values)))


@dataclass(frozen=True, slots=True)
class Pointer:
    """``to *``, never NULL."""

    to: Type
    alignment: int = 4
    least: int = 4

    def write(self, writer: Writer, value: Any, deferred: Deferred) -> None:
        """Write a referent, and what it points to later."""
        writer.referent()
        deferred.append(lambda: write_whole(self.to, writer, value))

    def read(self, reader: Reader, at: str, store: Store, deferred: Deferred) -> None:
        """Read a referent, and what it points to later."""
        _present(reader, at)
        deferred.append(lambda: store(read_whole(self.to, reader, at)))


def write_whole(type_: Type, writer: Writer, value: object) -> None:
    """Write *value*, and all that it points to."""
    deferred: Deferred = []
    type_.write(writer, value, deferred)
    _run(deferred)


def read_whole(type_: Type, reader: Reader, at: str) -> Any:
    """Read a value, and all that it points to."""
    found: list[Any] = []
    deferred: Deferred = []
    type_.read(reader, at, found.append, deferred)
    _run(deferred)
    (value,) = found
    return value


def _run(deferred: Deferred) -> None:
    for each in deferred:
        each()


def _put(where: Any, key: Any) -> Store:
    def put(value: Any) -> None:
        where[key] = value

    return put


def _present(reader: Reader, at: str) -> None:
    if not reader.referent(at):
        raise ContractError(at or "program_data", "is NULL")


def _same_count(declared: int, found: int, at: str) -> None:
    if declared != found:
        raise ContractError(at, f"has {found} members, though {declared} are declared")
