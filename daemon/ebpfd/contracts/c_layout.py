"""The members of a C struct that puts a context's fields where its contract says.

offset   8   uint64_t process_id;          a field
16   uint8_t _reserved_16[4];      what no program may see, or nothing
20   union { … };                  fields that overlap
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ebpfd.contracts.c_names import check_name
from ebpfd.contracts.validation import ContractError
from ebpfd.contracts.values import POINTER_SIZE, ContextField, ProgramData, writable_ranges

_POINTERS: Final = {"data", "data_end", "data_meta"}
_NUMBERS: Final = {
    f"{letter}{8 * size}": (f"{name}{8 * size}_t", size)
    for letter, name in (("u", "uint"), ("i", "int"))
    for size in (1, 2, 4, 8)
}
_ARRAY: Final = re.compile(r"([ui](?:8|16|32|64))\[(\d+)\]")
_PADDING: Final = re.compile(r"_(reserved_\d+|before_.*)")
_POINTER_NAMES: Final = {"data": "data", "end": "data_end", "meta": "data_meta"}


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
        (
            _member(index, field)
            for index, field in enumerate(named_fields(data))
            if not field.hidden
        ),
        key=lambda member: (member.field.offset, -member.field.size),
    )
    clusters = list(_clusters(members))
    largest = max((member.alignment for member in members), default=1)
    is_packed = data.context.size % largest != 0 or not all(map(_is_natural, clusters))
    # The attribute of the outer struct does not reach what stands within it.
    packed = " __attribute__((packed))" if is_packed else ""
    lines: list[str] = []
    at = 0
    for cluster in clusters:
        start = cluster[0].field.offset
        lines += _padding(at, start)
        if len(cluster) == 1:
            lines.append(cluster[0].declaration)
        else:
            inner = (f"    {line}" for line in _union(cluster, start, packed))
            lines += [f"union{packed}", "{", *inner, "};"]
        at = max(member.end for member in cluster)
    lines += _padding(at, data.context.size)
    return Layout(tuple(lines), is_packed=is_packed)


def _is_natural(cluster: Sequence[_Member]) -> bool:
    """Whether C puts fields that overlap where they belong, with no byte behind them."""
    start = cluster[0].field.offset
    aligned = all(member.field.offset % member.alignment == 0 for member in cluster)
    if len(cluster) == 1:
        return aligned
    largest = max(member.alignment for member in cluster)
    end = max(member.end for member in cluster)
    return aligned and start % largest == 0 and end % largest == 0


def named_fields(data: ProgramData) -> tuple[ContextField, ...]:
    """The contract's fields, then names for pointers that have none.

    Without any field, all but the pointers is bytes that may be written.
    """
    named = {(field.offset, field.size) for field in data.fields}
    taken = {field.name for field in data.fields}
    added: list[ContextField] = []
    for name, offset in data.context.pointers():
        if (offset, POINTER_SIZE) not in named:
            called = _POINTER_NAMES[name]
            free = called if called not in taken else f"{called}_at_{offset}"
            pointer = ContextField(
                name=free, offset=offset, size=POINTER_SIZE, writable=False, type=called
            )
            added.append(pointer)
    if not data.fields:
        added += [
            ContextField(name=f"bytes_{offset}", offset=offset, size=size)
            for offset, size in writable_ranges(data)
        ]
    return (*data.fields, *added)


def _member(index: int, field: ContextField) -> _Member:
    at = f"fields[{index}]"
    check_name(field.name, f"{at}.name")
    if _PADDING.fullmatch(field.name):
        raise ContractError(f"{at}.name", f"{field.name} is what padding is called")
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


def _union(cluster: Sequence[_Member], start: int, packed: str) -> Iterator[str]:
    for member in cluster:
        if member.field.offset == start:
            yield member.declaration
        else:
            before = f"uint8_t _before_{member.field.name}[{member.field.offset - start}];"
            yield f"struct{packed} {{ {before} {member.declaration} }};"


def _padding(start: int, end: int) -> list[str]:
    return [f"uint8_t _reserved_{start}[{end - start}];"] if end > start else []
