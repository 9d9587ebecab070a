"""The members of a C struct that puts a context's fields where its contract says.

offset   8   uint64_t process_id;          a field
16   uint8_t _reserved_16[4];      what no program may see, or nothing
20   union { … };                  fields that overlap
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ebpfd.contracts.validation import ContractError
from ebpfd.contracts.values import POINTER_SIZE, ContextField, ProgramData

_POINTERS: Final = {"data", "data_end", "data_meta"}
_NUMBERS: Final = {
    f"{letter}{8 * size}": (f"{name}{8 * size}_t", size)
    for letter, name in (("u", "uint"), ("i", "int"))
    for size in (1, 2, 4, 8)
}
_ARRAY: Final = re.compile(r"([ui](?:8|16|32|64))\[(\d+)\]")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Layout:
    """The lines of a struct's body, and whether C must not pad or align by itself."""

    lines: tuple[str, ...]
    is_packed: bool


@dataclass(frozen=True, slots=True)
class _Member:
    """A field as C has it: ``type name[count]`` of this alignment."""

    field: ContextField
    type: str
    count: int
    alignment: int

    @property
    def declaration(self) -> str:
        """One line of C."""
        const = "" if self.field.writable else "const "
        array = f"[{self.count}]" if self.count else ""
        if self.type.endswith("*"):
            return f"{self.type}{const}{self.field.name};"
        return f"{const}{self.type} {self.field.name}{array};"

    @property
    def end(self) -> int:
        """Offset of the first byte behind it."""
        return self.field.offset + self.field.size


def struct_members(data: ProgramData) -> Layout:
    """The body of the context's struct; ``ContractError`` for a field that C cannot name."""
    members = sorted(
        (_member(index, field) for index, field in enumerate(data.fields) if not field.hidden),
        key=lambda member: (member.field.offset, -member.field.size),
    )
    lines: list[str] = []
    at = 0
    for cluster in _clusters(members):
        start = cluster[0].field.offset
        lines += _padding(at, start)
        if len(cluster) == 1:
            lines.append(cluster[0].declaration)
        else:
            lines += ["union", "{", *(f"    {line}" for line in _union(cluster, start)), "};"]
        at = max(member.end for member in cluster)
    lines += _padding(at, data.context.size)
    aligned = all(member.field.offset % member.alignment == 0 for member in members)
    largest = max((member.alignment for member in members), default=1)
    return Layout(tuple(lines), is_packed=not aligned or data.context.size % largest != 0)


def _member(index: int, field: ContextField) -> _Member:
    at = f"fields[{index}]"
    if not _NAME.fullmatch(field.name):
        raise ContractError(f"{at}.name", f"{field.name!r} is no name in C")
    if field.type in _POINTERS:
        type_, size, count = "void *", POINTER_SIZE, 0
    elif field.type in _NUMBERS:
        (type_, size), count = _NUMBERS[field.type], 0
    elif array := _ARRAY.fullmatch(field.type):
        (type_, size), count = _NUMBERS[array[1]], int(array[2])
    else:
        type_, size, count = "uint8_t", 1, field.size
    if size * max(count, 1) != field.size:
        raise ContractError(f"{at}.type", f"{field.type} does not have {field.size} bytes")
    return _Member(field, type_, count, size)


def _clusters(members: Sequence[_Member]) -> Iterator[list[_Member]]:
    """Fields that overlap belong together."""
    cluster: list[_Member] = []
    end = 0
    for member in members:
        if cluster and member.field.offset >= end:
            yield cluster
            cluster = []
        cluster.append(member)
        end = max(end if len(cluster) > 1 else 0, member.end)
    if cluster:
        yield cluster


def _union(cluster: Sequence[_Member], start: int) -> Iterator[str]:
    for member in cluster:
        if member.field.offset == start:
            yield member.declaration
        else:
            before = f"uint8_t _before_{member.field.name}[{member.field.offset - start}];"
            yield f"struct {{ {before} {member.declaration} }};"


def _padding(start: int, end: int) -> list[str]:
    return [f"uint8_t _reserved_{start}[{end - start}];"] if end > start else []
