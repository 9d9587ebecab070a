"""Functions out of an object file that clang made for BPF.

    helper.c  --clang -O2 -target bpf -c-->  helper.o  -->  function | functions that it calls

Calls among them are relative.  What else an object file can hold (maps, global variables, types)
is the loader's, in the daemon; a function that needs it is refused here.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAGIC: Final = b"\x7fELF"
_IDENTITY: Final = MAGIC + bytes([2, 1])  # 64 bits, little-endian
_BPF: Final = 247
_SYMTAB, _REL = 2, 9
_EXECUTABLE: Final = 0x4
_FUNCTION: Final = 2
_R_BPF_64_32: Final = 10
"""The relocation of a call."""

_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")
_RELOCATION: Final = struct.Struct("<QQ")
_INSTRUCTION: Final = struct.Struct("<BBhi")
_CALL, _CALL_LOCAL = 0x85, 1
_SLOT: Final = _INSTRUCTION.size


class ObjectFileError(ValueError):
    """The file, or a function of it, is not what is needed; the text says why."""


@dataclass(frozen=True, slots=True)
class _Section:
    type: int
    flags: int
    link: int
    info: int
    content: bytes


@dataclass(frozen=True, slots=True)
class _Symbol:
    name: str
    kind: int
    section: int
    value: int
    size: int


class BpfObject:
    """The sections and symbols of an object file; ``ObjectFileError`` if it is none."""

    def __init__(self, content: bytes) -> None:
        try:
            self._sections = list(_sections(content))
            self._symbols = list(self._read_symbols())
            self._relocations = dict(self._read_relocations())
        except (struct.error, IndexError, ValueError) as error:
            if isinstance(error, ObjectFileError):
                raise
            raise ObjectFileError("is damaged: it ends too early") from None
        self._functions = {
            (each.section, each.value // _SLOT): each
            for each in self._symbols
            if each.kind == _FUNCTION and self._is_code(each.section)
        }

    def functions(self) -> list[str]:
        """Names of its functions."""
        return sorted(each.name for each in self._functions.values())

    def code(self, name: str) -> bytes:
        """The instructions of function *name*, and behind them those of functions that it calls."""
        found = [place for place, each in self._functions.items() if each.name == name]
        if not found:
            known = ", ".join(self.functions()) or "none"
            raise ObjectFileError(f"has no function {name} (it has: {known})")
        code = bytearray()
        starts: dict[tuple[int, int], int] = {}
        order, calls = [found[0]], list[tuple[int, tuple[int, int]]]()
        for place in order:
            starts[place] = base = len(code) // _SLOT
            for slot, callee in self._calls(place):
                calls.append((base + slot, callee))
                if callee not in order:
                    order.append(callee)
            code += self._body(place)
        for slot, callee in calls:
            struct.pack_into("<i", code, slot * _SLOT + 4, starts[callee] - slot - 1)
        return bytes(code)

    def _body(self, place: tuple[int, int]) -> bytes:
        function = self._functions[place]
        body = self._sections[place[0]].content[function.value : function.value + function.size]
        if len(body) != function.size or function.size % _SLOT or not body:
            raise ObjectFileError(f"is damaged: function {function.name} does not lie within it")
        return body

    def _calls(self, place: tuple[int, int]) -> Iterator[tuple[int, tuple[int, int]]]:
        """(slot, function) of each call of another function of the file."""
        section, start = place
        name = self._functions[place].name
        for slot, (opcode, registers, _, immediate) in enumerate(
            _INSTRUCTION.iter_unpack(self._body(place))
        ):
            here = start + slot
            relocation = self._relocations.get((section, here * _SLOT))
            is_call = opcode == _CALL and registers >> 4 == _CALL_LOCAL
            callee = section, here + 1 + immediate
            if relocation is not None:
                kind, symbol = relocation
                if not is_call or kind != _R_BPF_64_32:
                    problem = "code that is shipped with a contract has no maps and no globals"
                    raise ObjectFileError(f"function {name} refers to {symbol.name}: {problem}")
                callee = symbol.section, symbol.value // _SLOT + 1 + immediate
                if symbol.section == 0:
                    problem = "define it, or call a general helper by its number"
                    raise ObjectFileError(f"function {name} calls {symbol.name}: {problem}")
            if is_call:
                if callee not in self._functions:
                    raise ObjectFileError(f"is damaged: a call in {name} leads to no function")
                yield slot, callee

    def _is_code(self, section: int) -> bool:
        return section < len(self._sections) and bool(self._sections[section].flags & _EXECUTABLE)

    def _read_symbols(self) -> Iterator[_Symbol]:
        for section in self._sections:
            if section.type == _SYMTAB:
                strings = self._sections[section.link].content
                for name, info, _, index, value, size in _SYMBOL.iter_unpack(section.content):
                    text = strings[name : strings.index(b"\0", name)].decode(errors="replace")
                    yield _Symbol(text, info & 0xF, index, value, size)

    def _read_relocations(self) -> Iterator[tuple[tuple[int, int], tuple[int, _Symbol]]]:
        for section in self._sections:
            if section.type == _REL and self._is_code(section.info):
                for offset, info in _RELOCATION.iter_unpack(section.content):
                    number = int(info)
                    kind, symbol = number & 0xFFFF_FFFF, self._symbols[number >> 32]
                    yield (section.info, int(offset)), (kind, symbol)


def _sections(content: bytes) -> Iterator[_Section]:
    if not content.startswith(_IDENTITY):
        raise ObjectFileError("is no object file: clang -O2 -target bpf -c makes one")
    _, _, machine, _, _, _, start, *_, count, _ = _HEADER.unpack_from(content)
    if machine != _BPF:
        raise ObjectFileError("is an object file of another machine: clang needs -target bpf")
    for index in range(count):
        header = _SECTION.unpack_from(content, start + index * _SECTION.size)
        _, type_, flags, _, offset, size, link, info, _, _ = header
        yield _Section(type_, flags, link, info, content[offset : offset + size])
