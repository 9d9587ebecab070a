"""NDR, as far as contracts need it: MS-RPCE type serialization, version 1, little-endian, 32 bits.

    common header    8 bytes: version 1, little-endian, length 8, filler
    private header   8 bytes: length of the object in bytes, a multiple of 8; filler
    object           a referent, then what it points to, which is deferred to the end of its parent

Numbers are aligned to their own size, counted from the start of the object.  A pointer is a
referent: 0 for NULL, else any number; what it points to follows when the structure around it has
ended.  An array of any length has its count in front, a string its maximum, its offset and its
length, with the zero at its end.
"""

import struct
from typing import Final
from uuid import UUID

from ebpfd.contracts.validation import ContractError

COMMON_HEADER: Final = struct.pack("<BBHI", 1, 0x10, 8, 0xCCCC_CCCC)
_PRIVATE: Final = struct.Struct("<II")
_ALIGNMENT: Final = 8
_FIRST_REFERENT: Final = 0x0002_0000


class Writer:
    """Writes one object; pointers' targets wait in ``deferred`` until their parent has ended."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._referents = 0

    def number(self, value: int, size: int) -> None:
        """An unsigned number of *size* bytes."""
        self.align(size)
        self._bytes += value.to_bytes(size, "little")

    def signed(self, value: int) -> None:
        """A signed 32-bit number."""
        self.number(value & 0xFFFF_FFFF, 4)

    def guid(self, value: UUID) -> None:
        """A GUID: four parts, of which three are numbers."""
        self.align(4)
        self._bytes += value.bytes_le

    def referent(self, *, null: bool = False) -> None:
        """A pointer to something that is not written yet."""
        if not null:
            self._referents += 1
        self.number(0 if null else _FIRST_REFERENT + 4 * (self._referents - 1), 4)

    def string(self, text: str) -> None:
        """What a pointer to a [string] of bytes points to."""
        encoded = text.encode() + b"\0"
        for number in (len(encoded), 0, len(encoded)):
            self.number(number, 4)
        self._bytes += encoded

    def octets(self, value: bytes) -> None:
        """What a pointer to a conformant array of bytes points to."""
        self.number(len(value), 4)
        self._bytes += value

    def align(self, size: int) -> None:
        """Fill up to a multiple of *size*."""
        self._bytes += bytes(-len(self._bytes) % size)

    def serialized(self) -> bytes:
        """The object behind its two headers."""
        self.align(_ALIGNMENT)
        return COMMON_HEADER + _PRIVATE.pack(len(self._bytes), 0) + bytes(self._bytes)


class Reader:
    """Reads one object; every error is a ``ContractError`` about what is being read."""

    def __init__(self, content: bytes) -> None:
        self._bytes = _object(content)
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that are not read yet."""
        return len(self._bytes) - self._at

    def number(self, size: int, field: str) -> int:
        """An unsigned number of *size* bytes."""
        return int.from_bytes(self._take(size, field, alignment=size), "little")

    def signed(self, field: str) -> int:
        """A signed 32-bit number."""
        return int.from_bytes(self._take(4, field, alignment=4), "little", signed=True)

    def boolean(self, field: str) -> bool:
        """A byte that is 0 or 1."""
        value = self.number(1, field)
        if value > 1:
            raise ContractError(field, f"{value} is neither 0 nor 1")
        return bool(value)

    def guid(self, field: str) -> UUID:
        """A GUID."""
        return UUID(bytes_le=self._take(16, field, alignment=4))

    def referent(self, field: str) -> bool:
        """Whether a pointer points to something; that follows later."""
        return self.number(4, field) != 0

    def count(self, least: int, field: str) -> int:
        """The count in front of an array whose members take *least* bytes or more."""
        count = self.number(4, field)
        if count * least > self.left:
            raise ContractError(field, f"{count} do not fit into the {self.left} bytes that follow")
        return count

    def string(self, field: str) -> str:
        """What a pointer to a [string] of bytes points to."""
        most, offset, length = (self.number(4, field) for _ in range(3))
        if offset != 0 or not 0 < length <= most or length > self.left:
            raise ContractError(field, f"is no string: {length} of {most} bytes from {offset}")
        content = self._take(length, field)
        if content.find(b"\0") != length - 1:
            raise ContractError(field, "does not end where its first zero is")
        try:
            return content[:-1].decode()
        except UnicodeDecodeError:
            raise ContractError(field, "is no UTF-8") from None

    def octets(self, field: str) -> bytes:
        """What a pointer to a conformant array of bytes points to."""
        return self._take(self.count(1, field), field)

    def align(self, size: int, field: str) -> None:
        """Skip up to a multiple of *size*."""
        self._take(-self._at % size, field)

    def end(self) -> None:
        """Nothing but padding may be left."""
        rest = self._bytes[self._at :]
        if len(rest) >= _ALIGNMENT or any(rest):
            raise ContractError("rpce", f"{len(rest)} bytes follow the object")

    def _take(self, size: int, field: str, *, alignment: int = 1) -> bytes:
        start = self._at + -self._at % alignment
        if start + size > len(self._bytes):
            raise ContractError(field, f"ends after {len(self._bytes)} bytes")
        self._at = start + size
        return self._bytes[start : self._at]


def _object(content: bytes) -> bytes:
    """The object behind the headers."""
    if len(content) < len(COMMON_HEADER) + _PRIVATE.size:
        raise ContractError("rpce", f"{len(content)} bytes are less than its headers have")
    version, order, length, _ = struct.unpack_from("<BBHI", content)
    if (version, order, length) != (1, 0x10, 8):
        problem = f"version {version}, order {order:#x}, length {length} are not 1, 0x10, 8"
        raise ContractError("rpce.common_header", problem)
    size, _ = _PRIVATE.unpack_from(content, len(COMMON_HEADER))
    rest = content[len(COMMON_HEADER) + _PRIVATE.size :]
    if size % _ALIGNMENT or size != len(rest):
        problem = f"length {size} is not that of the {len(rest)} bytes that follow"
        raise ContractError("rpce.private_header", problem)
    return rest
