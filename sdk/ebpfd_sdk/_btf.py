"""A context's layout as BTF: what relocates programs that were compiled for an older layout.

    struct _sample_program_context { … };            as the exported C header declares it
    typedef struct … sample_program_context_t;

Types have numbers in the order in which they are written, from 1 on; 0 is void.
"""

import struct
from typing import Final

from ebpfd_sdk._fields import Length, Number
from ebpfd_sdk._layout import Layout

_HEADER: Final = struct.Struct("<HBBIIIII")
_MAGIC: Final = 0xEB9F
_VERSION: Final = 1

_INT, _PTR, _ARRAY, _STRUCT, _TYPEDEF = 1, 2, 3, 4, 8
_SIGNED: Final = 1 << 24


class _Writer:
    """Types and their names, each written once."""

    def __init__(self) -> None:
        self._types = bytearray()
        self._strings = bytearray(1)
        self._numbers: dict[object, int] = {}
        self._count = 0

    def name(self, text: str) -> int:
        """Where a name lies."""
        at = len(self._strings)
        self._strings += text.encode() + b"\0"
        return at

    def add(
        self, kind: int, name: str, size_or_type: int, rest: bytes = b"", members: int = 0
    ) -> int:
        """Write a type; its number."""
        named = self.name(name) if name else 0
        self._types += struct.pack("<III", named, kind << 24 | members, size_or_type) + rest
        self._count += 1
        return self._count

    def number(self, number: Number) -> int:
        """The number of an integer type."""
        if number.name not in self._numbers:
            encoding = _SIGNED if number.name.startswith("i") else 0
            spelled = f"{'int' if encoding else 'uint'}{8 * number.size}_t"
            rest = struct.pack("<I", encoding | 8 * number.size)
            self._numbers[number.name] = self.add(_INT, spelled, number.size, rest)
        return self._numbers[number.name]

    def pointer(self) -> int:
        """The number of ``void *``."""
        if "pointer" not in self._numbers:
            self._numbers["pointer"] = self.add(_PTR, "", 0)
        return self._numbers["pointer"]

    def array(self, length: int) -> int:
        """The number of an array of bytes."""
        byte, index = self.number(Number("u8", "B", 1)), self.number(Number("u32", "I", 4))
        return self.add(_ARRAY, "", 0, struct.pack("<III", byte, index, length))

    def content(self) -> bytes:
        """Header, types, names."""
        types, strings = bytes(self._types), bytes(self._strings)
        header = _HEADER.pack(
            _MAGIC, _VERSION, 0, _HEADER.size, 0, len(types), len(types), len(strings)
        )
        return header + types + strings


def context_btf(type_name: str, layout: Layout) -> bytes:
    """BTF of the struct behind *type_name*, without the fields that programs do not see."""
    writer = _Writer()
    members = b""
    seen = [field for field in layout.fields if field.rights.offered]
    for field in seen:
        match field.type:
            case Number() as number:
                type_ = writer.number(number)
            case Length(size=size):
                type_ = writer.array(size)
            case _:
                type_ = writer.pointer()
        members += struct.pack("<III", writer.name(field.name), type_, 8 * field.offset)
    tag = f"_{type_name.removesuffix('_t')}"
    struct_ = writer.add(_STRUCT, tag, layout.size, members, len(seen))
    writer.add(_TYPEDEF, type_name, struct_)
    return writer.content()
