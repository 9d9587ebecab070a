"""Program information as its structures lie in the memory of eBPF for Windows (64 bits); only read.

    magic "ebpfflat" · base address u64 · address of the ebpf_program_data_t u64 · memory

Pointers are addresses: memory begins at the base address, so a piece of a process can be taken as
it is.  Every structure but the context's begins with a header that tells its version and size; a
size that no release had is refused, an older one lacks what came later.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

from ebpfd.contracts.validation import MAX_ARGUMENTS, ContractError, validate_program_data
from ebpfd.contracts.values import (
    ContextDescriptor,
    HelperFunctionPrototype,
    ProgramData,
    ProgramInfo,
    ProgramTypeDescriptor,
)
from ebpfd_api.prototype import ArgumentType, ReturnType

MAGIC: Final = b"ebpfflat"
_IMAGE: Final = struct.Struct("<8sQQ")
_HEADER: Final = struct.Struct("<H6xQQ")
_VERSION: Final = 1
_MAX_NAME: Final = 1024
"""Bytes of a name that are looked at for its end."""

_UP_TO_ARGUMENTS, _UP_TO_FLAGS, _UP_TO_IMPLICIT_CONTEXT = 64, 65, 66
_UP_TO_REQUIRED_IRQL, _UP_TO_CAPABILITIES = 65, 72

SIZES: Final = {
    "program_data": (_UP_TO_REQUIRED_IRQL, _UP_TO_CAPABILITIES),
    "program_info": (64,),
    "type_descriptor": (61,),
    "helper": (_UP_TO_ARGUMENTS, _UP_TO_FLAGS, _UP_TO_IMPLICIT_CONTEXT),
    "addresses": (40,),
}
"""Sizes that each structure had: bytes up to the end of its last field, the latest last."""

_REALLOCATE_PACKET: Final = 1
_Kind = TypeVar("_Kind", ArgumentType, ReturnType)


def decode_flat(content: bytes) -> ProgramData:
    """The contract in an image; ``ContractError`` names the structure or field that is wrong."""
    if len(content) < _IMAGE.size or content[: len(MAGIC)] != MAGIC:
        raise ContractError("flat", f"does not begin with {MAGIC!r} and two addresses")
    _, base, root = _IMAGE.unpack_from(content)
    data = _read_data(_Memory(content[_IMAGE.size :], base), root)
    validate_program_data(data)
    return data


@dataclass(frozen=True, slots=True)
class _Memory:
    """A piece of memory, and where it begins."""

    content: bytes
    base: int

    def take(self, address: int, size: int, at: str) -> bytes:
        """*size* bytes at *address*."""
        start = address - self.base
        if address == 0:
            raise ContractError(at, "is NULL")
        if not 0 <= start <= len(self.content) - size:
            raise ContractError(at, f"{size} bytes at {address:#x} are not in the image")
        return self.content[start : start + size]

    def text(self, address: int, at: str) -> str:
        """A name that ends with a zero."""
        self.take(address, 1, at)
        start = address - self.base
        end = self.content.find(b"\0", start, start + _MAX_NAME)
        if end < 0:
            raise ContractError(at, f"has no end within {_MAX_NAME} bytes")
        try:
            return self.content[start:end].decode()
        except UnicodeDecodeError:
            raise ContractError(at, "is no UTF-8") from None

    def structure(self, address: int, kind: str, at: str) -> "_Structure":
        """A structure with a header, as large as its header says."""
        header = self.take(address, _HEADER.size, at)
        version, size, total_size = _HEADER.unpack(header)
        if version != _VERSION:
            raise ContractError(f"{at}.header.version", f"{version} is not {_VERSION}")
        if size not in SIZES[kind]:
            known = ", ".join(map(str, SIZES[kind]))
            raise ContractError(f"{at}.header.size", f"{size} is none of {known}")
        if total_size < size:
            raise ContractError(f"{at}.header.total_size", f"{total_size} is less than {size}")
        return _Structure(self.take(address, size, at), total_size)


@dataclass(frozen=True, slots=True)
class _Structure:
    """The bytes of a structure, its header among them; arrays have one each ``stride``."""

    content: bytes
    stride: int

    def number(self, form: str, offset: int) -> int:
        """A number at *offset*; 0 if the structure is too old to have it."""
        if offset + struct.calcsize(form) > len(self.content):
            return 0
        (value,) = struct.unpack_from(f"<{form}", self.content, offset)
        return int(value)


def _read_data(memory: _Memory, address: int) -> ProgramData:
    data = memory.structure(address, "program_data", "program_data")
    info = _read_info(memory, data.number("Q", 24))
    served = {
        *_served(memory, data.number("Q", 32), info.program_type_specific_helpers, "type_specific"),
        *_served(memory, data.number("Q", 40), info.global_helpers, "global"),
    }
    return ProgramData(
        program_info=info,
        required_irql=data.number("B", 64),
        capabilities=data.number("I", 68),
        helper_addresses=frozenset(served),
    )


def _read_info(memory: _Memory, address: int) -> ProgramInfo:
    info = memory.structure(address, "program_info", "program_info")
    own, general = "program_type_specific_helpers", "global_helpers"
    return ProgramInfo(
        type_descriptor=_read_descriptor(memory, info.number("Q", 24)),
        program_type_specific_helpers=tuple(
            _helpers(memory, info.number("Q", 40), info.number("I", 32), own)
        ),
        global_helpers=tuple(_helpers(memory, info.number("Q", 56), info.number("I", 48), general)),
    )


def _read_descriptor(memory: _Memory, address: int) -> ProgramTypeDescriptor:
    descriptor = memory.structure(address, "type_descriptor", "type_descriptor")
    at = "type_descriptor.context_descriptor"
    context = struct.unpack("<4i", memory.take(descriptor.number("Q", 32), 16, at))
    return ProgramTypeDescriptor(
        name=memory.text(descriptor.number("Q", 24), "type_descriptor.name"),
        context_descriptor=ContextDescriptor(
            size=context[0], data=context[1], end=context[2], meta=context[3]
        ),
        program_type=UUID(bytes_le=descriptor.content[40:56]),
        bpf_prog_type=descriptor.number("I", 56),
        is_privileged=_boolean(descriptor.number("B", 60), "type_descriptor.is_privileged"),
    )


def _helpers(
    memory: _Memory, address: int, count: int, at: str
) -> Iterator[HelperFunctionPrototype]:
    """An array: the first element tells how far apart all of them are."""
    if count == 0:
        return
    first = memory.structure(address, "helper", f"{at}[0]")
    if count * first.stride > len(memory.content):
        raise ContractError(at, f"{count} are more than the image has room for")
    for index in range(count):
        where = f"{at}[{index}]"
        helper = memory.structure(address + index * first.stride, "helper", where)
        if len(helper.content) > first.stride:
            problem = f"{len(helper.content)} do not fit between elements {first.stride} apart"
            raise ContractError(f"{where}.header.size", problem)
        yield _helper(memory, helper, where)


def _helper(memory: _Memory, helper: _Structure, at: str) -> HelperFunctionPrototype:
    flags = helper.number("B", 64)
    if flags & ~_REALLOCATE_PACKET:
        raise ContractError(f"{at}.flags", f"{flags:#x} has reserved bits")
    return HelperFunctionPrototype(
        helper_id=helper.number("I", 24),
        name=memory.text(helper.number("Q", 32), f"{at}.name"),
        return_type=_kind(ReturnType, helper.number("I", 40), f"{at}.return_type"),
        arguments=tuple(
            _kind(ArgumentType, helper.number("I", 44 + 4 * index), f"{at}.arguments[{index}]")
            for index in range(MAX_ARGUMENTS)
        ),
        reallocate_packet=bool(flags),
        implicit_context=_boolean(helper.number("B", 65), f"{at}.implicit_context"),
    )


def _served(
    memory: _Memory, address: int, helpers: tuple[HelperFunctionPrototype, ...], which: str
) -> Iterator[int]:
    """Ids of the helpers whose address is not 0; without a table there is none."""
    if address == 0:
        return
    at = f"{which}_helper_addresses"
    table = memory.structure(address, "addresses", at)
    count = table.number("I", 24)
    if count != len(helpers) or count == 0:
        problem = f"{count} addresses for {len(helpers)} prototypes"
        raise ContractError(f"{at}.count", problem)
    content = memory.take(table.number("Q", 32), 8 * count, f"{at}.addresses")
    for helper, (entry,) in zip(helpers, struct.iter_unpack("<Q", content), strict=True):
        if entry:
            yield helper.helper_id


def _kind(kind: Callable[[int], _Kind], value: int, at: str) -> _Kind:
    try:
        return kind(value)
    except ValueError:
        raise ContractError(at, f"{value} is no {getattr(kind, '__name__', 'kind')}") from None


def _boolean(value: int, at: str) -> bool:
    if value > 1:
        raise ContractError(at, f"{value} is neither 0 nor 1")
    return bool(value)
