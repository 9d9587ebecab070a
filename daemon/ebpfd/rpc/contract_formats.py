"""A contract as bytes and back, in each form that it can have.

Everything that is read has been validated, so a form never matters to whoever gets the value.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from google.protobuf.message import DecodeError

from ebpfd.contracts import ContractError, ProgramData, validate_program_data
from ebpfd.contracts.c_header import c_header
from ebpfd.contracts.flat_codec import decode_flat
from ebpfd.contracts.flatbuffer_codec import decode_flatbuffer, encode_flatbuffer
from ebpfd.contracts.json_codec import decode_json, encode_json
from ebpfd.contracts.rpce_codec import (
    decode_historic,
    decode_rpce,
    encode_historic,
    encode_rpce,
)
from ebpfd.host.general import general_prototypes
from ebpfd.rpc.contract_codec import decode_program_data, encode_program_data
from ebpfd_api.v1 import contract_pb2


class Format(Enum):
    """How a contract is written."""

    PROTOBUF = "protobuf"
    FLATBUFFERS = "flatbuffers"
    JSON = "json"
    RPCE = "rpce"
    RPCE_HISTORIC = "rpce-historic"
    C = "c"
    FLAT = "flat"


CONTENT_TYPES: Final[Mapping[Format, str]] = MappingProxyType(
    {
        Format.PROTOBUF: "application/vnd.ebpfd.program-data+protobuf",
        Format.FLATBUFFERS: "application/vnd.ebpfd.program-data+flatbuffers",
        Format.JSON: "application/vnd.ebpfd.program-data+json",
        Format.RPCE: "application/vnd.ebpfd.program-data+rpce",
        Format.RPCE_HISTORIC: "application/vnd.ebpfd.program-types+rpce",
        Format.C: "text/x-c",
        Format.FLAT: "application/vnd.ebpfd.program-data+flat",
    }
)


MAX_BYTES: Final = 1 << 20
"""Of a contract that is read: a large one has some kilobytes, and reading takes its time."""


def encode(data: ProgramData, format_: Format) -> bytes:
    """*data* as bytes; ``ContractError`` if it makes no sense, or the form cannot hold it."""
    if format_ not in _WRITERS:
        raise ContractError("format", f"{format_.value} is never written")
    validate_program_data(data)
    return _WRITERS[format_](data)


def decode(content: bytes, format_: Format) -> ProgramData:
    """The contract that *content* holds; ``ContractError`` names what is wrong with it."""
    if format_ not in _READERS:
        raise ContractError("format", f"{format_.value} is never read")
    if len(content) > MAX_BYTES:
        raise ContractError("content", f"{len(content):,} bytes are more than {MAX_BYTES:,}")
    return _READERS[format_](content)


def decode_blob(content: bytes, content_type: str) -> ProgramData:
    """The same for a content type."""
    for format_, known in CONTENT_TYPES.items():
        if known == content_type and format_ in _READERS:
            return decode(content, format_)
    readable = ", ".join(CONTENT_TYPES[format_] for format_ in _READERS)
    raise ContractError("content_type", f"{content_type!r} is none of {readable}")


def _write_protobuf(data: ProgramData) -> bytes:
    return encode_program_data(data).SerializeToString(deterministic=True)


def _read_protobuf(content: bytes) -> ProgramData:
    message = contract_pb2.ProgramData()
    try:
        message.ParseFromString(content)
    except DecodeError as error:
        raise ContractError("protobuf", str(error)) from None
    data = decode_program_data(message)
    validate_program_data(data)
    return data


def _write_c(data: ProgramData) -> bytes:
    return c_header(data, general_prototypes())


_WRITERS: Final[Mapping[Format, Callable[[ProgramData], bytes]]] = MappingProxyType(
    {
        Format.PROTOBUF: _write_protobuf,
        Format.FLATBUFFERS: encode_flatbuffer,
        Format.JSON: encode_json,
        Format.RPCE: encode_rpce,
        Format.RPCE_HISTORIC: encode_historic,
        Format.C: _write_c,
    }
)
_READERS: Final[Mapping[Format, Callable[[bytes], ProgramData]]] = MappingProxyType(
    {
        Format.PROTOBUF: _read_protobuf,
        Format.FLATBUFFERS: decode_flatbuffer,
        Format.JSON: decode_json,
        Format.RPCE: decode_rpce,
        Format.RPCE_HISTORIC: decode_historic,
        Format.FLAT: decode_flat,
    }
)
