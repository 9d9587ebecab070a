"""Contracts as a C compiler of a 64-bit machine lays the structures of eBPF for Windows out.

The layouts are those of ``ctypes``, which follows the platform's; ours are numbers in the reader.
"""

import ctypes as c
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ebpfd.contracts import HelperFunctionPrototype, ProgramData


class Header(c.Structure):
    """``ebpf_extension_header_t``."""

    _fields_ = (("version", c.c_uint16), ("size", c.c_uint64), ("total_size", c.c_uint64))


class Context(c.Structure):
    """``ebpf_context_descriptor_t``."""

    _fields_ = (("size", c.c_int), ("data", c.c_int), ("end", c.c_int), ("meta", c.c_int))


class Descriptor(c.Structure):
    """``ebpf_program_type_descriptor_t``."""

    _fields_ = (
        ("header", Header),
        ("name", c.c_uint64),
        ("context_descriptor", c.c_uint64),
        ("program_type", c.c_uint32 * 4),
        ("bpf_prog_type", c.c_uint32),
        ("is_privileged", c.c_uint8),
    )


class Prototype(c.Structure):
    """``ebpf_helper_function_prototype_t``."""

    _fields_ = (
        ("header", Header),
        ("helper_id", c.c_uint32),
        ("name", c.c_uint64),
        ("return_type", c.c_int),
        ("arguments", c.c_int * 5),
        ("flags", c.c_uint8),
        ("implicit_context", c.c_bool),
    )


class LongerPrototype(c.Structure):
    """A prototype of a later version: only its ``total_size`` tells."""

    _fields_ = (("known", Prototype), ("added", c.c_uint64 * 2))


class Info(c.Structure):
    """``ebpf_program_info_t``."""

    _fields_ = (
        ("header", Header),
        ("type_descriptor", c.c_uint64),
        ("own_count", c.c_uint32),
        ("own", c.c_uint64),
        ("general_count", c.c_uint32),
        ("general", c.c_uint64),
    )


class Addresses(c.Structure):
    """``ebpf_helper_function_addresses_t``."""

    _fields_ = (("header", Header), ("count", c.c_uint32), ("addresses", c.c_uint64))


class Data(c.Structure):
    """``ebpf_program_data_t``."""

    _fields_ = (
        ("header", Header),
        ("program_info", c.c_uint64),
        ("own_addresses", c.c_uint64),
        ("general_addresses", c.c_uint64),
        ("context_create", c.c_uint64),
        ("context_destroy", c.c_uint64),
        ("required_irql", c.c_uint8),
        ("capabilities", c.c_uint32),
    )


Headered: TypeAlias = Descriptor | Prototype | Info | Addresses | Data
LAST: Final[dict[type[Headered], str]] = {
    Descriptor: "is_privileged",
    Prototype: "implicit_context",
    Info: "general",
    Addresses: "addresses",
    Data: "capabilities",
}
"""The last field of each structure."""


def size_through(kind: type[Headered], name: str) -> int:
    """Bytes up to the end of a field."""
    field = getattr(kind, name)
    return int(field.offset + field.size)


@dataclass(frozen=True, kw_only=True)
class Version:
    """Up to which field the structures go that grew, and how far prototypes are apart."""

    prototype: str = "implicit_context"
    data: str = "capabilities"
    stride: int = c.sizeof(Prototype)


NOW: Final = Version()


class Memory:
    """Grows by what is put into it; the address of a thing is its offset."""

    def __init__(self, version: Version) -> None:
        self.content = bytearray(c.sizeof(Data))
        self.version = version

    def put(self, content: bytes) -> int:
        """Put *content* at the next aligned address."""
        self.content += bytes(-len(self.content) % 8)
        address = len(self.content)
        self.content += content
        return address

    def name(self, text: str) -> int:
        """Put a text with its zero."""
        return self.put(text.encode() + b"\0")

    def headered(self, value: Headered) -> bytes:
        """The bytes of *value*, with its header filled in."""
        kind = type(value)
        grown: dict[type[Headered], str] = {
            Prototype: self.version.prototype,
            Data: self.version.data,
        }
        last = {**LAST, **grown}[kind]
        total = self.version.stride if kind is Prototype else c.sizeof(kind)
        value.header = Header(1, size_through(kind, last), total)
        return bytes(value)


def image(data: ProgramData, version: Version = NOW) -> bytes:
    """All of *data* that the structures have a place for."""
    memory = Memory(version)
    info = data.program_info
    own, general = info.program_type_specific_helpers, info.global_helpers
    root = Data(
        program_info=_info(memory, data),
        own_addresses=_addresses(memory, own, data.helper_addresses),
        general_addresses=_addresses(memory, general, data.helper_addresses),
        context_create=2**63,
        context_destroy=2**63,
        required_irql=data.required_irql,
        capabilities=data.capabilities,
    )
    memory.content[: c.sizeof(Data)] = memory.headered(root)
    return bytes(memory.content)


def _info(memory: Memory, data: ProgramData) -> int:
    info = data.program_info
    own, general = info.program_type_specific_helpers, info.global_helpers
    return memory.put(
        memory.headered(
            Info(
                type_descriptor=_descriptor(memory, data),
                own_count=len(own),
                own=_prototypes(memory, own),
                general_count=len(general),
                general=_prototypes(memory, general),
            )
        )
    )


def _descriptor(memory: Memory, data: ProgramData) -> int:
    descriptor = data.program_info.type_descriptor
    context = data.context
    value = Descriptor(
        name=memory.name(descriptor.name),
        context_descriptor=memory.put(
            bytes(Context(context.size, context.data, context.end, context.meta))
        ),
        program_type=(c.c_uint32 * 4).from_buffer_copy(descriptor.program_type.bytes_le),
        bpf_prog_type=descriptor.bpf_prog_type,
        is_privileged=descriptor.is_privileged,
    )
    return memory.put(memory.headered(value))


def _prototypes(memory: Memory, helpers: tuple[HelperFunctionPrototype, ...]) -> int:
    if not helpers:
        return 0
    elements = [
        memory.headered(
            Prototype(
                helper_id=helper.helper_id,
                name=memory.name(helper.name),
                return_type=helper.return_type,
                arguments=(c.c_int * 5)(*helper.arguments),
                flags=int(helper.reallocate_packet),
                implicit_context=helper.implicit_context,
            )
        )
        for helper in helpers
    ]
    # What does not belong to an older structure is the next one's, and what a longer one has more
    # is nothing that we may look at.
    stride = memory.version.stride
    return memory.put(b"".join(each[:stride].ljust(stride, b"\xff") for each in elements))


def _addresses(
    memory: Memory, helpers: Iterable[HelperFunctionPrototype], served: frozenset[int]
) -> int:
    addresses = [2**47 + 16 if each.helper_id in served else 0 for each in helpers]
    if not any(addresses):
        return 0
    table = memory.put(bytes((c.c_uint64 * len(addresses))(*addresses)))
    return memory.put(memory.headered(Addresses(count=len(addresses), addresses=table)))
