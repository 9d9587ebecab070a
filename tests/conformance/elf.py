"""The smallest object file that the engine's loader takes for a BPF program.

    header | code | symbols | strings | four section headers

The first function is the program; the others are local and become its
sub-programs if it calls them.  No maps, no relocations, no debug information.
"""

import struct
from collections.abc import Sequence
from typing import Final

from tests.conformance.assembler import SLOT_SIZE

SECTION: Final = "conformance"
PROGRAM: Final = "program"
_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION_HEADER: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")
_IDENTITY: Final = b"\x7fELF" + bytes([2, 1, 1])
_RELOCATABLE, _BPF = 1, 247
_PROGBITS, _SYMTAB, _STRTAB = 1, 2, 3
_ALLOCATED_EXECUTABLE: Final = 0x2 | 0x4
_GLOBAL_FUNCTION, _LOCAL_FUNCTION = 0x12, 0x02
_CODE_INDEX, _STRINGS_INDEX = 1, 3
_STRINGS: Final = b"\0" + b"\0".join(
    name.encode() for name in (SECTION, PROGRAM, "function", ".symtab", ".strtab", "")
)


def object_file(code: bytes, functions: Sequence[int], *, name: str = PROGRAM) -> bytes:
    """Wrap *code*, whose functions begin at these slots, the program's at the first."""
    strings = _STRINGS if name == PROGRAM else _STRINGS + name.encode() + b"\0"
    symbols = _symbols(functions, strings.index(b"\0" + name.encode() + b"\0") + 1)
    code_at = _HEADER.size
    symbols_at = code_at + len(code)
    strings_at = symbols_at + len(symbols)
    headers = b"".join(
        (
            bytes(_SECTION_HEADER.size),
            _section_header(SECTION, _PROGBITS, code_at, len(code), flags=_ALLOCATED_EXECUTABLE),
            _section_header(
                ".symtab",
                _SYMTAB,
                symbols_at,
                len(symbols),
                locals_=len(functions),
                entry=_SYMBOL.size,
            ),
            _section_header(".strtab", _STRTAB, strings_at, len(strings)),
        )
    )
    header = _HEADER.pack(
        _IDENTITY, _RELOCATABLE, _BPF, 1, 0, 0, strings_at + len(strings), 0,
        _HEADER.size, 0, 0, _SECTION_HEADER.size, 4, _STRINGS_INDEX,
    )  # fmt: skip
    return header + code + symbols + strings + headers


def _symbols(functions: Sequence[int], name: int) -> bytes:
    """Make a symbol for each function, the global one last, after one that is all zeros."""
    program, *others = functions
    symbols = [bytes(_SYMBOL.size)]
    symbols += [_symbol(_name("function"), _LOCAL_FUNCTION, start) for start in others]
    return b"".join([*symbols, _symbol(name, _GLOBAL_FUNCTION, program)])


def _symbol(name: int, kind: int, start: int) -> bytes:
    """Size 0 leaves it to the loader to find the function's end."""
    return _SYMBOL.pack(name, kind, 0, _CODE_INDEX, start * SLOT_SIZE, 0)


def _section_header(
    name: str, kind: int, at: int, size: int, *, flags: int = 0, locals_: int = 0, entry: int = 0
) -> bytes:
    link = _STRINGS_INDEX if kind == _SYMTAB else 0
    return _SECTION_HEADER.pack(_name(name), kind, flags, 0, at, size, link, locals_, 8, entry)


def _name(name: str) -> int:
    """Where *name* lies among the strings."""
    return _STRINGS.index(b"\0" + name.encode() + b"\0") + 1
