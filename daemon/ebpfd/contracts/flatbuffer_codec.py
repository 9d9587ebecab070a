"""Program information as a FlatBuffer; the schema is ``ebpfd_api/fbs/program_data.fbs``.

The tables here have the fields of the schema in its order.  Code that flatc generates would read
the same, but only from bytes that it can trust.
"""

from typing import Final, cast

import flatbuffers  # pyright: ignore[reportMissingTypeStubs]

from ebpfd.contracts.flatbuffer import Buffer
from ebpfd.contracts.flatbuffer_types import (
    Arguments,
    Builder,
    Guid,
    Many,
    Number,
    Octets,
    Table,
    Text,
    boolean,
    enumeration,
)
from ebpfd.contracts.validation import validate_program_data
from ebpfd.contracts.values import (
    ContextDescriptor,
    ContextField,
    HelperFunctionPrototype,
    ProgramData,
    ProgramInfo,
    ProgramResult,
    ProgramTypeDescriptor,
)
from ebpfd_api.prototype import ReturnType

IDENTIFIER: Final = b"EBPD"

_OFFSET: Final = Number(signed=True, default=-1)
_CONTEXT: Final = Table(
    ContextDescriptor, {"size": Number(), "data": _OFFSET, "end": _OFFSET, "meta": _OFFSET}
)
_DESCRIPTOR: Final = Table(
    ProgramTypeDescriptor,
    {
        "name": Text(),
        "context_descriptor": _CONTEXT,
        "program_type": Guid(),
        "bpf_prog_type": Number(),
        "is_privileged": boolean(),
    },
)
_HELPER: Final = Table(
    HelperFunctionPrototype,
    {
        "helper_id": Number(),
        "name": Text(),
        "return_type": enumeration(ReturnType),
        "arguments": Arguments(),
        "reallocate_packet": boolean(),
        "implicit_context": boolean(),
        "code": Octets(),
    },
)
_INFO: Final = Table(
    ProgramInfo,
    {
        "type_descriptor": _DESCRIPTOR,
        "program_type_specific_helpers": Many(_HELPER),
        "global_helpers": Many(_HELPER),
    },
    transparent=True,
)
_FIELD: Final = Table(
    ContextField,
    {
        "name": Text(),
        "offset": Number(),
        "size": Number(),
        "writable": boolean(default=True),
        "hidden": boolean(),
        "type": Text(),
    },
)
_RESULT: Final = Table(ProgramResult, {"value": Number(), "name": Text(), "stops_chain": boolean()})
_DATA: Final = Table(
    ProgramData,
    {
        "program_info": _INFO,
        "required_irql": Number(),
        "capabilities": Number(),
        "helper_addresses": Many(Number(), frozenset),
        "fields": Many(_FIELD),
        "section_prefixes": Many(Text()),
        "results": Many(_RESULT),
        "other_results_stop": boolean(),
        "default_result": Number(),
        "context_type": Text(),
        "context_btf": Octets(),
    },
)


def encode_flatbuffer(data: ProgramData) -> bytes:
    """All of *data*."""
    builder = cast("Builder", flatbuffers.Builder())
    builder.Finish(_DATA.prepare(builder, data), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def decode_flatbuffer(content: bytes) -> ProgramData:
    """The contract that *content* holds; ``ContractError`` names what is wrong with it."""
    buffer = Buffer(content, IDENTIFIER)
    root = buffer.followed(0, "flatbuffers")
    data = cast("ProgramData", _DATA.read_at(buffer, root, ""))
    validate_program_data(data)
    return data
