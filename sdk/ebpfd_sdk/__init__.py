"""Write extensions and clients of ebpfd, an eBPF for programs in user mode.

An extension declares a ``Context``, a ``ProgramType`` and a ``Hook``, and calls ``run``.  A client
opens a ``Client``.  Everything public is named here; modules with an underscore are not.
"""

from ebpfd_api.address import default_address
from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.custom_map import MapOperation
from ebpfd_api.failure import Failure
from ebpfd_api.map_type import MapType
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_sdk._access import HeldRole, Me
from ebpfd_sdk._answer import Answer
from ebpfd_sdk._batch import Columns
from ebpfd_sdk._certificates import Certificates
from ebpfd_sdk._client import Client
from ebpfd_sdk._context import Context
from ebpfd_sdk._contracts import Contract, ContractFormat
from ebpfd_sdk._custom_map import CustomMap
from ebpfd_sdk._errors import (
    DaemonUnavailable,
    DeclarationError,
    EbpfdError,
    Refused,
    RegistrationRefused,
    VerificationFailed,
)
from ebpfd_sdk._extension import Extension
from ebpfd_sdk._extension_info import (
    ExtensionInfo,
    ExtensionState,
    OutputLine,
    OutputStream,
    ProvidedModule,
)
from ebpfd_sdk._fields import (
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Data,
    DataEnd,
    DataMeta,
    Integer,
    Length,
    ReadableMemory,
    WritableMemory,
    hidden,
    read_only,
)
from ebpfd_sdk._fire import FireEvent
from ebpfd_sdk._function_module import FunctionModule
from ebpfd_sdk._hook import Hook
from ebpfd_sdk._hook_info import HookInfo
from ebpfd_sdk._invocation_batch import InvocationBatch
from ebpfd_sdk._links import Link
from ebpfd_sdk._map import InnerMap, Map, MapPage, MapTypeProvider, MapUpdate, number
from ebpfd_sdk._map_type import CustomMapType
from ebpfd_sdk._native_context import FlatContext, NativeContext
from ebpfd_sdk._objects import ObjectType, Owner, Pin
from ebpfd_sdk._origin import Origin
from ebpfd_sdk._policy import Breaker, BreakerState, LinkPolicy
from ebpfd_sdk._program import AttachedLink, Program
from ebpfd_sdk._program_type import ProgramType
from ebpfd_sdk._recording import Recorded
from ebpfd_sdk._records import Record, Records
from ebpfd_sdk._run import run, serve
from ebpfd_sdk._shadow import Shadow, ShadowDifference
from ebpfd_sdk._stats import Latency, LinkStats, ProgramStats, QuotaStats, Stats
from ebpfd_sdk._status import DaemonStatus, Trouble
from ebpfd_sdk._traffic import Counters
from ebpfd_sdk._values import (
    Binding,
    BindingCallback,
    BindingState,
    BindingWait,
    ChangeKind,
    Disassembly,
    Execution,
    Instruction,
    Judge,
    Keepers,
    LinkOutcomes,
    LinkState,
    PathStep,
    Peer,
    PeerCertificate,
    PeerProcess,
    ProgramCounters,
    ProgramState,
    RegisterChange,
    RegisterEvent,
    RegisterFact,
    RegistrarChange,
    RegistrarSnapshot,
    Registration,
    Rejection,
    Role,
    SourceLine,
    TestRun,
    TraceLine,
    Verdict,
    Way,
    Witness,
)

__all__ = [
    "I8",
    "I16",
    "I32",
    "I64",
    "U8",
    "U16",
    "U32",
    "U64",
    "Answer",
    "AttachCapability",
    "AttachedLink",
    "Binding",
    "BindingCallback",
    "BindingState",
    "BindingWait",
    "Breaker",
    "BreakerState",
    "Certificates",
    "ChangeKind",
    "Client",
    "Columns",
    "Context",
    "Contract",
    "ContractFormat",
    "Counters",
    "CustomMap",
    "CustomMapType",
    "DaemonStatus",
    "DaemonUnavailable",
    "Data",
    "DataEnd",
    "DataMeta",
    "DeclarationError",
    "Disassembly",
    "EbpfdError",
    "Execution",
    "Extension",
    "ExtensionInfo",
    "ExtensionState",
    "Failure",
    "FireEvent",
    "FlatContext",
    "FunctionModule",
    "HeldRole",
    "Hook",
    "HookInfo",
    "InnerMap",
    "Instruction",
    "Integer",
    "InvocationBatch",
    "Judge",
    "Keepers",
    "Latency",
    "Length",
    "Link",
    "LinkOutcomes",
    "LinkPolicy",
    "LinkState",
    "LinkStats",
    "Map",
    "MapOperation",
    "MapPage",
    "MapType",
    "MapTypeProvider",
    "MapUpdate",
    "Me",
    "NativeContext",
    "NtStatus",
    "ObjectType",
    "Origin",
    "OutputLine",
    "OutputStream",
    "Owner",
    "PathStep",
    "Peer",
    "PeerCertificate",
    "PeerProcess",
    "Pin",
    "Program",
    "ProgramCounters",
    "ProgramState",
    "ProgramStats",
    "ProgramType",
    "ProvidedModule",
    "QuotaStats",
    "ReadableMemory",
    "Record",
    "Recorded",
    "Records",
    "Refused",
    "RegisterChange",
    "RegisterEvent",
    "RegisterFact",
    "RegistrarChange",
    "RegistrarSnapshot",
    "Registration",
    "RegistrationRefused",
    "Rejection",
    "Result",
    "Role",
    "Shadow",
    "ShadowDifference",
    "SourceLine",
    "Stats",
    "TestRun",
    "TraceLine",
    "Trouble",
    "Verdict",
    "VerificationFailed",
    "Way",
    "Witness",
    "WritableMemory",
    "default_address",
    "hidden",
    "number",
    "read_only",
    "run",
    "serve",
]
