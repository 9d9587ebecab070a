"""Programs without a compiler: the smallest object file that a loader takes.

header | code | symbols | strings | four section headers
"""

import struct
from typing import Final

_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")
_IDENTITY: Final = b"\x7fELF" + bytes([2, 1, 1])  # 64 bits, little-endian
_RELOCATABLE, _BPF = 1, 247
_PROGBITS, _SYMTAB, _STRTAB = 1, 2, 3
_ALLOCATED_EXECUTABLE: Final = 0x2 | 0x4
_GLOBAL_FUNCTION: Final = 0x12


def constant_program(section: str, result: int = 0, *, name: str = "constant") -> bytes:
    """Write an object file with one program that returns *result*, whatever its context is.

    *section* says of which type it is; the contract lists the prefixes.
    """
    # r0 = result, as 32 bits; exit
    code = struct.pack("<BBhI", 0xB4, 0, 0, result) + struct.pack("<BBhI", 0x95, 0, 0, 0)
    return object_file(section, name, code)


def object_file(section: str, name: str, code: bytes) -> bytes:
    """Write an object file with one program: its section, its name, its instructions."""
    strings = b"\0" + b"\0".join(
        each.encode() for each in (section, name, ".symtab", ".strtab", "")
    )
    places = [strings.index(b"\0" + each.encode() + b"\0") + 1 for each in (section, name)]
    symbols = bytes(_SYMBOL.size) + _SYMBOL.pack(places[1], _GLOBAL_FUNCTION, 0, 1, 0, len(code))
    code_at = _HEADER.size
    symbols_at = code_at + len(code)
    strings_at = symbols_at + len(symbols)
    symtab, strtab = (strings.index(each) for each in (b".symtab", b".strtab"))
    sections = (
        (0,) * 10,
        (places[0], _PROGBITS, _ALLOCATED_EXECUTABLE, 0, code_at, len(code), 0, 0, 8, 0),
        # The first global symbol is number 1.
        (symtab, _SYMTAB, 0, 0, symbols_at, len(symbols), 3, 1, 8, _SYMBOL.size),
        (strtab, _STRTAB, 0, 0, strings_at, len(strings), 0, 0, 1, 0),
    )
    sections_at = strings_at + len(strings)
    header = _HEADER.pack(
        _IDENTITY, _RELOCATABLE, _BPF, 1, 0, 0, sections_at, 0,
        _HEADER.size, 0, 0, _SECTION.size, len(sections), 3,
    )  # fmt: skip
    return header + code + symbols + strings + b"".join(_SECTION.pack(*each) for each in sections)
