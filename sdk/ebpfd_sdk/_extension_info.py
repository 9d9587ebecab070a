"""Extensions as a client sees them: who provides what, and what the hosted ones write."""

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from ebpfd_api.v1 import extensions_pb2
from ebpfd_sdk._decode import guid, module_id, peer_of
from ebpfd_sdk._values import Peer


class ExtensionState(Enum):
    """Where an extension is in its life."""

    UNKNOWN = extensions_pb2.EXTENSION_STATE_UNSPECIFIED
    """In a state that this version does not know."""

    STARTING = extensions_pb2.EXTENSION_STATE_STARTING
    """Its process runs; what it provides is not registered yet, or not any more."""

    RUNNING = extensions_pb2.EXTENSION_STATE_RUNNING
    BACKING_OFF = extensions_pb2.EXTENSION_STATE_BACKING_OFF
    """It ended, and is started again after a while."""

    STOPPING = extensions_pb2.EXTENSION_STATE_STOPPING
    STOPPED = extensions_pb2.EXTENSION_STATE_STOPPED
    FAILED = extensions_pb2.EXTENSION_STATE_FAILED
    """It ended too often in a row, and stays so until somebody starts it."""

    CONNECTED = extensions_pb2.EXTENSION_STATE_CONNECTED
    """Not hosted, but connected."""


class OutputStream(Enum):
    """Where an extension wrote a line."""

    STDOUT = extensions_pb2.OUTPUT_STREAM_STDOUT
    STDERR = extensions_pb2.OUTPUT_STREAM_STDERR


@dataclass(frozen=True, slots=True)
class ProvidedModule:
    """A provider that an extension has registered."""

    registration: int
    npi: UUID
    npi_name: str
    module: UUID | int | None
    """GUID or interface LUID."""

    module_name: str
    binding_count: int


@dataclass(frozen=True, slots=True)
class ExtensionInfo:
    """An extension when the daemon was asked."""

    name: str
    hosted: bool
    """The daemon starts and stops it."""

    state: ExtensionState
    process_id: int
    """0: there is no process, or it is not known."""

    restarts: int
    """How often the daemon has started it again by itself."""

    since_ns: int
    """Since when it is in this state, since the epoch."""

    reason: str
    """Why it last ended."""

    provides: tuple[ProvidedModule, ...]
    resident_bytes: int
    """What of its process is in memory; 0: not known."""

    peer: Peer | None
    """Of its session, if it has one."""


@dataclass(frozen=True, slots=True)
class OutputLine:
    """A line that a hosted extension wrote."""

    time_ns: int
    """Since the epoch."""

    stream: OutputStream
    text: str
    lost: int
    """Lines lost before this one."""


def extension_of(message: extensions_pb2.Extension) -> ExtensionInfo:
    """Read an extension's description."""
    known = message.state in ExtensionState._value2member_map_
    return ExtensionInfo(
        name=message.name,
        hosted=message.hosted,
        state=ExtensionState(message.state) if known else ExtensionState.UNKNOWN,
        process_id=message.process_id,
        restarts=message.restarts,
        since_ns=message.since_ns,
        reason=message.reason,
        provides=tuple(map(_provided, message.provides)),
        resident_bytes=message.resident_bytes,
        peer=peer_of(message.peer) if message.HasField("peer") else None,
    )


def output_line_of(message: extensions_pb2.ExtensionsLogsResponse) -> OutputLine:
    """Read a line that an extension wrote."""
    return OutputLine(message.time_ns, OutputStream(message.stream), message.text, message.lost)


def _provided(message: extensions_pb2.ProvidedModule) -> ProvidedModule:
    return ProvidedModule(
        registration=message.registration,
        npi=guid(message.npi_id),
        npi_name=message.npi_name,
        module=module_id(message.module_id),
        module_name=message.module_name,
        binding_count=message.binding_count,
    )
