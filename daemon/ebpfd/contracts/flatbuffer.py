"""A FlatBuffer of an unknown sender: every offset and length is checked before it is followed.

    4 bytes    offset of the root table, from here
    4 bytes    identifier
    ...        tables, vectors and strings, in any order

A table begins with the distance back to its vtable: the sizes of both, then where in the table each
field lies, 0 for one that is left out.  A string, a vector or another table is an offset from the
field to a length or to that table.  The readers of the public library follow whatever stands there.
"""

from typing import Final

from ebpfd.contracts.validation import ContractError

OFFSET_SIZE: Final = 4
_VTABLE_HEADER: Final = 4
_SHARING: Final = 4


class Buffer:
    """Reads the bytes; every error is a ``ContractError`` about the field that is being read."""

    def __init__(self, content: bytes, identifier: bytes) -> None:
        self._content = content
        # Strings and tables may be shared, but not so that a small buffer becomes a large value.
        self._budget = _SHARING * len(content)
        if content[4:8] != identifier:
            raise ContractError("flatbuffers", f"the identifier is not {identifier.decode()}")

    def number(self, start: int, size: int, field: str, *, signed: bool = False) -> int:
        """The number of *size* bytes at *start*."""
        return int.from_bytes(self._taken(start, size, field), "little", signed=signed)

    def followed(self, start: int, field: str) -> int:
        """Where the offset at *start* leads: never backwards, so nothing contains itself."""
        offset = self.number(start, OFFSET_SIZE, field)
        if offset < OFFSET_SIZE:
            raise ContractError(field, f"offset {offset} leads into itself")
        return start + offset

    def octets(self, start: int, field: str) -> bytes:
        """The bytes of the vector that the offset at *start* leads to."""
        first, size = self.vector(start, 1, field)
        return self._taken(first, size, field)

    def string(self, start: int, field: str) -> str:
        """The text that the offset at *start* leads to; a zero follows it."""
        first, size = self.vector(start, 1, field)
        if self.number(first + size, 1, field) != 0:
            raise ContractError(field, "does not end with a zero")
        try:
            return self._taken(first, size, field).decode()
        except UnicodeDecodeError:
            raise ContractError(field, "is no UTF-8") from None

    def vector(self, start: int, size: int, field: str) -> tuple[int, int]:
        """First element and count of the vector that the offset at *start* leads to."""
        length_at = self.followed(start, field)
        count = self.number(length_at, OFFSET_SIZE, field)
        first = length_at + OFFSET_SIZE
        if first + count * size > len(self._content):
            raise ContractError(field, f"{count} do not fit into {len(self._content)} bytes")
        self._spend(count * size, field)
        return first, count

    def table(self, start: int, sizes: tuple[int, ...], field: str) -> list[int | None]:
        """Where the fields of the table at *start* lie; *sizes* are those of the known ones."""
        vtable = start - self.number(start, OFFSET_SIZE, field, signed=True)
        vtable_size = self.number(vtable, 2, field)
        table_size = self.number(vtable + 2, 2, field)
        if vtable_size < _VTABLE_HEADER or vtable + vtable_size > len(self._content):
            raise ContractError(field, f"a vtable of {vtable_size} bytes at {vtable} cannot be")
        if table_size < OFFSET_SIZE or start + table_size > len(self._content):
            raise ContractError(field, f"a table of {table_size} bytes at {start} cannot be")
        self._spend(table_size, field)
        places: list[int | None] = []
        for slot, size in enumerate(sizes):
            entry = _VTABLE_HEADER + 2 * slot
            inside = 0 if entry + 2 > vtable_size else self.number(vtable + entry, 2, field)
            if inside and not OFFSET_SIZE <= inside <= table_size - size:
                raise ContractError(field, f"field {slot} lies outside its table")
            places.append(start + inside if inside else None)
        return places

    def _taken(self, start: int, size: int, field: str) -> bytes:
        if start < 0 or start + size > len(self._content):
            problem = f"lies at {start}, outside of {len(self._content)} bytes"
            raise ContractError(field, problem)
        return self._content[start : start + size]

    def _spend(self, size: int, field: str) -> None:
        self._budget -= size
        if self._budget < 0:
            raise ContractError(field, "too much of the buffer is used again and again")
