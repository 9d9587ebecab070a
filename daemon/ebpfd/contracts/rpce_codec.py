"""Program information as MS-RPCE type serialization: our own type, and the historical one.

``program_data.idl`` beside this file declares both.  Ours carries everything.  The historical
``ebpf_program_types`` had less: what it lacks gets the values of ``HISTORIC_DEFAULTS`` when it is
read, and a contract in which any of that is different cannot be written.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ebpfd.contracts.difference import differences, shown
from ebpfd.contracts.ndr import Reader, Writer
from ebpfd.contracts.ndr_types import (
    Boolean,
    Fixed,
    Guid,
    Many,
    Number,
    Octets,
    Pointer,
    Struct,
    Text,
    Type,
    read_whole,
    write_whole,
)
from ebpfd.contracts.validation import MAX_ARGUMENTS, ContractError, validate_program_data
from ebpfd.contracts.values import (
    ContextDescriptor,
    ContextField,
    HelperFunctionPrototype,
    ProgramData,
    ProgramInfo,
    ProgramResult,
    ProgramTypeDescriptor,
)
from ebpfd_api.prototype import ArgumentType, ReturnType

HISTORIC_DEFAULTS: Final[Mapping[str, object]] = MappingProxyType(
    {
        "type_descriptor.bpf_prog_type": 0,
        "reallocate_packet": False,
        "implicit_context": False,
        "code": "none",
        "required_irql": 0,
        "capabilities": 0,
        "helper_addresses": "all that have a prototype",
        "fields": "none",
        "section_prefixes": "none",
        "results": "none",
        "other_results_stop": False,
        "default_result": 0,
        "context_type": "",
        "context_btf": "none",
    }
)
"""What a contract of the historical shape has where that shape says nothing."""

_Members = Mapping[str, Type]


class _Prefix:
    """A text in a structure of its own: NDR has no array of strings without."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix


_SIGNED: Final = Number(signed=True)
_CONTEXT: Final = Struct(ContextDescriptor, dict.fromkeys(("size", "data", "end", "meta"), _SIGNED))


def _prototype(enumeration_bytes: int, beyond: _Members) -> Struct:
    argument = Number(enumeration_bytes, kind=ArgumentType)
    members: dict[str, Type] = {
        "helper_id": Number(),
        "name": Text(),
        "return_type": Number(enumeration_bytes, kind=ReturnType),
        "arguments": Fixed(argument, MAX_ARGUMENTS),
        **beyond,
    }
    return Struct(HelperFunctionPrototype, members)


_BEYOND: Final[_Members] = {
    "reallocate_packet": Boolean(),
    "implicit_context": Boolean(),
    "code": Octets(),
}
"""What helpers have that the historical shape does not know of."""

_DESCRIPTOR: Final = Struct(
    ProgramTypeDescriptor,
    {
        "name": Text(),
        "context_descriptor": Pointer(_CONTEXT),
        "program_type": Guid(),
        "bpf_prog_type": Number(),
        "is_privileged": Boolean(),
    },
)
_INFO: Final = Struct(
    ProgramInfo,
    {
        "type_descriptor": Pointer(_DESCRIPTOR),
        "program_type_specific_helpers": Many(_prototype(4, _BEYOND)),
        "global_helpers": Many(_prototype(4, _BEYOND)),
    },
    transparent=True,
)
_FIELD: Final = Struct(
    ContextField,
    {
        "name": Text(),
        "offset": Number(),
        "size": Number(),
        "writable": Boolean(),
        "hidden": Boolean(),
        "type": Text(),
    },
)
_RESULT: Final = Struct(
    ProgramResult, {"value": Number(), "name": Text(), "stops_chain": Boolean()}
)


class _Flat:
    """``ProgramData`` with its collections as NDR has them."""

    def __init__(self, data: ProgramData) -> None:
        self._data = data
        self.helper_addresses = sorted(data.helper_addresses)
        self.section_prefixes = [_Prefix(each) for each in data.section_prefixes]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)


def _data(**members: Any) -> ProgramData:
    addresses = members.pop("helper_addresses")
    prefixes = members.pop("section_prefixes")
    return ProgramData(
        helper_addresses=frozenset(addresses),
        section_prefixes=tuple(each.prefix for each in prefixes),
        **members,
    )


_DATA: Final = Pointer(
    Struct(
        _data,
        {
            "program_info": Pointer(_INFO),
            "required_irql": Number(),
            "capabilities": Number(),
            "helper_addresses": Many(Number()),
            "fields": Many(_FIELD),
            "section_prefixes": Many(Struct(_Prefix, {"prefix": Text()})),
            "results": Many(_RESULT),
            "other_results_stop": Boolean(),
            "default_result": Number(),
            "context_type": Text(),
            "context_btf": Octets(),
        },
    )
)

# MIDL sends an enumeration as 16 bits unless it is told otherwise, as our own type tells it.
_HISTORIC: Final = Pointer(
    Struct(
        ProgramInfo,
        {
            "type_descriptor": Struct(
                ProgramTypeDescriptor,
                {
                    "name": Text(),
                    "context_descriptor": Pointer(_CONTEXT),
                    "program_type": Guid(),
                    "is_privileged": Boolean(),
                },
            ),
            "program_type_specific_helpers": Many(_prototype(2, {})),
            "global_helpers": Many(_prototype(2, {})),
        },
        transparent=True,
    )
)


def encode_rpce(data: ProgramData) -> bytes:
    """All of *data*."""
    return _encoded(_DATA, _Flat(data))


def decode_rpce(content: bytes) -> ProgramData:
    """What ``encode_rpce`` wrote; ``ContractError`` names what is wrong."""
    data: ProgramData = _decoded(_DATA, content)
    validate_program_data(data)
    return data


def encode_historic(data: ProgramData) -> bytes:
    """*data* in the historical shape; ``ContractError`` names the field that it would lose."""
    content = _encoded(_HISTORIC, data.program_info)
    for lost in differences(data, _completed(_decoded(_HISTORIC, content))):
        problem = f"{shown(lost.old)} would be lost: the historical shape has no place for it"
        raise ContractError(lost.field, problem)
    return content


def decode_historic(content: bytes) -> ProgramData:
    """A contract of the historical shape, completed with ``HISTORIC_DEFAULTS``."""
    data = _completed(_decoded(_HISTORIC, content))
    validate_program_data(data)
    return data


def _completed(info: ProgramInfo) -> ProgramData:
    served = frozenset(helper.helper_id for helper in info.helpers())
    return ProgramData(program_info=info, helper_addresses=served)


def _encoded(type_: Type, value: object) -> bytes:
    writer = Writer()
    write_whole(type_, writer, value)
    return writer.serialized()


def _decoded(type_: Type, content: bytes) -> Any:
    reader = Reader(content)
    value = read_whole(type_, reader, "")
    reader.end()
    return value
