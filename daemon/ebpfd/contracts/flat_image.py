"""Memory of a 64-bit machine as a file: what a pointer is there, and what may begin with a header.

The image begins with the outermost structure.  A pointer is the offset of what it points to from
the start of the image; 0 is NULL, for nobody points to the outermost structure.

A versioned structure begins with a header, as in eBPF for Windows::

    0   u16  version       changes when the structure is another one
    8   u64  size          bytes up to the end of the last field: which fields there are
    16  u64  total_size    bytes with padding: where in an array the next one begins
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ebpfd.contracts.validation import ContractError

HEADER_SIZE: Final = 24
POINTER_SIZE: Final = 8
MAX_NAME_BYTES: Final = 256
"""A name and its zero take no more."""

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of a structure says."""

    size: int
    total_size: int


class Image:
    """Reads structures; every error is a ``ContractError`` about the field that is being read."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def header(self, start: int, sizes: tuple[int, ...], field: str) -> Header:
        """The header of the structure at *start*, which must have one of the known *sizes*."""
        version = self.number(start, 2, f"{field}.header")
        if version != _VERSION:
            raise ContractError(f"{field}.header.version", f"{version} is not {_VERSION}")
        size = self.number(start + 8, 8, f"{field}.header")
        if size not in sizes:
            known = " or ".join(map(str, sizes))
            raise ContractError(f"{field}.header.size", f"{size} is not {known}")
        total_size = self.number(start + 16, 8, f"{field}.header")
        if total_size < size:
            problem = f"{total_size} is less than the size {size}"
            raise ContractError(f"{field}.header.total_size", problem)
        self._taken(start, size, field)
        return Header(size, total_size)

    def number(self, start: int, size: int, field: str, *, signed: bool = False) -> int:
        """The number of *size* bytes at *start*."""
        return int.from_bytes(self._taken(start, size, field), "little", signed=signed)

    def guid(self, start: int, field: str) -> UUID:
        """The GUID at *start*."""
        return UUID(bytes_le=self._taken(start, 16, field))

    def pointer(self, start: int, field: str) -> int:
        """Where the pointer at *start* leads; 0 is NULL."""
        target = self.number(start, POINTER_SIZE, field)
        if target >= len(self._content):
            problem = f"points to {target}, outside of {len(self._content)} bytes"
            raise ContractError(field, problem)
        return target

    def followed(self, start: int, field: str) -> int:
        """The same for a pointer that must not be NULL."""
        target = self.pointer(start, field)
        if target == 0:
            raise ContractError(field, "is NULL")
        return target

    def name(self, start: int, field: str) -> str:
        """The text that the pointer at *start* leads to."""
        first = self.followed(start, field)
        content = self._content[first : first + MAX_NAME_BYTES]
        end = content.find(b"\0")
        if end < 0:
            raise ContractError(field, f"does not end within {len(content)} bytes")
        try:
            return content[:end].decode()
        except UnicodeDecodeError:
            raise ContractError(field, "is no UTF-8") from None

    def fits(self, start: int, count: int, size: int, field: str) -> None:
        """Refuse an array of *count* elements of *size* bytes that the image does not hold."""
        if start + count * size > len(self._content):
            problem = f"{count} of {size} bytes do not fit behind {start}"
            raise ContractError(field, problem)

    def _taken(self, start: int, size: int, field: str) -> bytes:
        if start + size > len(self._content):
            problem = f"{size} bytes at {start} are outside of {len(self._content)}"
            raise ContractError(field, problem)
        return self._content[start : start + size]
