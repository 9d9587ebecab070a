"""Contracts of program types as a client sees them."""

from dataclasses import dataclass
from enum import Enum
from typing import assert_never
from uuid import UUID

from ebpfd_api.v1 import contracts_pb2


class ContractFormat(Enum):
    """How a contract is written as bytes."""

    PROTOBUF = "protobuf"
    """The canonical form."""

    FLATBUFFERS = "flatbuffers"
    JSON = "json"
    RPCE = "rpce"
    """MS-RPCE type serialization of all that a contract has."""

    RPCE_HISTORIC = "rpce-historic"
    """The same of the historical ``ebpf_program_types``, which have less."""

    C = "c"
    """A header for program authors: it is only written."""

    FLAT = "flat"
    """The structures of eBPF for Windows as they lie in memory: they are only read."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A program type's contract, and where the daemon has it from."""

    program_type: UUID
    name: str
    context_size: int
    """Bytes."""

    helpers: tuple[str, ...]
    """Those that the type has of its own, and general ones that it overrides."""

    sections: tuple[str, ...]
    """Sections of these prefixes hold programs of the type."""

    digest: bytes
    """SHA-256 over all of its helpers and rights."""

    origin: str
    """Who registered it last, or the file that it was imported from."""

    imported: bool
    provided: bool
    """Whether a provider of it is registered now."""


def contract_of(message: contracts_pb2.Contract) -> Contract:
    """Read a contract."""
    info = message.program_data.program_info
    descriptor = info.type_descriptor
    return Contract(
        program_type=UUID(bytes=descriptor.program_type),
        name=descriptor.name,
        context_size=descriptor.context_descriptor.size,
        helpers=tuple(
            each.name for each in (*info.program_type_specific_helpers, *info.global_helpers)
        ),
        sections=tuple(message.program_data.section_prefixes),
        digest=message.digest,
        origin=message.origin,
        imported=message.imported,
        provided=message.provided,
    )


def contract_name(wanted: str | UUID) -> contracts_pb2.ContractName:
    """Write a program type's name or GUID; text that looks like a GUID is one."""
    if isinstance(wanted, str):
        try:
            wanted = UUID(wanted)
        except ValueError:
            return contracts_pb2.ContractName(text=str(wanted))
    return contracts_pb2.ContractName(guid=wanted.bytes)


def wire_format(format_: ContractFormat) -> contracts_pb2.ContractFormat:
    """Name a format on the wire."""
    match format_:
        case ContractFormat.PROTOBUF:
            return contracts_pb2.CONTRACT_FORMAT_PROTOBUF
        case ContractFormat.FLATBUFFERS:
            return contracts_pb2.CONTRACT_FORMAT_FLATBUFFERS
        case ContractFormat.JSON:
            return contracts_pb2.CONTRACT_FORMAT_JSON
        case ContractFormat.RPCE:
            return contracts_pb2.CONTRACT_FORMAT_RPCE
        case ContractFormat.RPCE_HISTORIC:
            return contracts_pb2.CONTRACT_FORMAT_RPCE_HISTORIC
        case ContractFormat.C:
            return contracts_pb2.CONTRACT_FORMAT_C
        case ContractFormat.FLAT:
            return contracts_pb2.CONTRACT_FORMAT_FLAT
        case _ as never:
            assert_never(never)
