from ebpfd_api.v1 import contract_pb2 as _contract_pb2
from ebpfd_api.v1 import contracts_pb2 as _contracts_pb2
from ebpfd_api.v1 import hook_pb2 as _hook_pb2
from ebpfd_api.v1 import programs_pb2 as _programs_pb2
from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LinkState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LINK_STATE_UNSPECIFIED: _ClassVar[LinkState]
    LINK_STATE_ATTACHING: _ClassVar[LinkState]
    LINK_STATE_ATTACHED: _ClassVar[LinkState]
    LINK_STATE_DETACHING: _ClassVar[LinkState]
    LINK_STATE_WAITING: _ClassVar[LinkState]

class BreakerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BREAKER_STATE_UNSPECIFIED: _ClassVar[BreakerState]
    BREAKER_STATE_WHOLE: _ClassVar[BreakerState]
    BREAKER_STATE_BROKEN: _ClassVar[BreakerState]
    BREAKER_STATE_TRIAL: _ClassVar[BreakerState]
LINK_STATE_UNSPECIFIED: LinkState
LINK_STATE_ATTACHING: LinkState
LINK_STATE_ATTACHED: LinkState
LINK_STATE_DETACHING: LinkState
LINK_STATE_WAITING: LinkState
BREAKER_STATE_UNSPECIFIED: BreakerState
BREAKER_STATE_WHOLE: BreakerState
BREAKER_STATE_BROKEN: BreakerState
BREAKER_STATE_TRIAL: BreakerState

class Link(_message.Message):
    __slots__ = ("id", "program_id", "program_name", "attach_type", "attach_type_name", "parameter", "state", "binding", "link_type", "bpf_attach_type", "provider", "prog_attach_flags", "counters", "priority", "wildcard", "pin_paths", "owners", "outcomes", "policy", "breaker", "where", "latency", "in_flight", "running")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_NAME_FIELD_NUMBER: _ClassVar[int]
    ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    ATTACH_TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    BINDING_FIELD_NUMBER: _ClassVar[int]
    LINK_TYPE_FIELD_NUMBER: _ClassVar[int]
    BPF_ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PROG_ATTACH_FLAGS_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    WILDCARD_FIELD_NUMBER: _ClassVar[int]
    PIN_PATHS_FIELD_NUMBER: _ClassVar[int]
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    BREAKER_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    id: int
    program_id: int
    program_name: str
    attach_type: bytes
    attach_type_name: str
    parameter: bytes
    state: LinkState
    binding: int
    link_type: int
    bpf_attach_type: int
    provider: str
    prog_attach_flags: int
    counters: _programs_pb2.ProgramCounters
    priority: int
    wildcard: bool
    pin_paths: _containers.RepeatedScalarFieldContainer[str]
    owners: _containers.RepeatedScalarFieldContainer[str]
    outcomes: LinkOutcomes
    policy: _contract_pb2.LinkPolicy
    breaker: Breaker
    where: str
    latency: _programs_pb2.Latency
    in_flight: int
    running: int
    def __init__(self, id: _Optional[int] = ..., program_id: _Optional[int] = ..., program_name: _Optional[str] = ..., attach_type: _Optional[bytes] = ..., attach_type_name: _Optional[str] = ..., parameter: _Optional[bytes] = ..., state: _Optional[_Union[LinkState, str]] = ..., binding: _Optional[int] = ..., link_type: _Optional[int] = ..., bpf_attach_type: _Optional[int] = ..., provider: _Optional[str] = ..., prog_attach_flags: _Optional[int] = ..., counters: _Optional[_Union[_programs_pb2.ProgramCounters, _Mapping]] = ..., priority: _Optional[int] = ..., wildcard: _Optional[bool] = ..., pin_paths: _Optional[_Iterable[str]] = ..., owners: _Optional[_Iterable[str]] = ..., outcomes: _Optional[_Union[LinkOutcomes, _Mapping]] = ..., policy: _Optional[_Union[_contract_pb2.LinkPolicy, _Mapping]] = ..., breaker: _Optional[_Union[Breaker, _Mapping]] = ..., where: _Optional[str] = ..., latency: _Optional[_Union[_programs_pb2.Latency, _Mapping]] = ..., in_flight: _Optional[int] = ..., running: _Optional[int] = ...) -> None: ...

class LinkOutcomes(_message.Message):
    __slots__ = ("success", "no_provider", "timeout", "error", "overload", "lost", "broken")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    NO_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    OVERLOAD_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    BROKEN_FIELD_NUMBER: _ClassVar[int]
    success: int
    no_provider: int
    timeout: int
    error: int
    overload: int
    lost: int
    broken: int
    def __init__(self, success: _Optional[int] = ..., no_provider: _Optional[int] = ..., timeout: _Optional[int] = ..., error: _Optional[int] = ..., overload: _Optional[int] = ..., lost: _Optional[int] = ..., broken: _Optional[int] = ...) -> None: ...

class AttachRequest(_message.Message):
    __slots__ = ("program_id", "attach_type", "parameter", "prog_attach_flags", "priority", "policy")
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    PROG_ATTACH_FLAGS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    program_id: int
    attach_type: _hook_pb2.AttachType
    parameter: bytes
    prog_attach_flags: int
    priority: int
    policy: PolicyChange
    def __init__(self, program_id: _Optional[int] = ..., attach_type: _Optional[_Union[_hook_pb2.AttachType, _Mapping]] = ..., parameter: _Optional[bytes] = ..., prog_attach_flags: _Optional[int] = ..., priority: _Optional[int] = ..., policy: _Optional[_Union[PolicyChange, _Mapping]] = ...) -> None: ...

class ResultChoice(_message.Message):
    __slots__ = ("result", "name")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    result: int
    name: str
    def __init__(self, result: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...

class Breaker(_message.Message):
    __slots__ = ("failures", "retry_ms", "state")
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    RETRY_MS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    failures: int
    retry_ms: int
    state: BreakerState
    def __init__(self, failures: _Optional[int] = ..., retry_ms: _Optional[int] = ..., state: _Optional[_Union[BreakerState, str]] = ...) -> None: ...

class PolicyChange(_message.Message):
    __slots__ = ("no_provider", "timeout", "error", "overload", "lost", "breaker")
    NO_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    OVERLOAD_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    BREAKER_FIELD_NUMBER: _ClassVar[int]
    no_provider: ResultChoice
    timeout: ResultChoice
    error: ResultChoice
    overload: ResultChoice
    lost: ResultChoice
    breaker: Breaker
    def __init__(self, no_provider: _Optional[_Union[ResultChoice, _Mapping]] = ..., timeout: _Optional[_Union[ResultChoice, _Mapping]] = ..., error: _Optional[_Union[ResultChoice, _Mapping]] = ..., overload: _Optional[_Union[ResultChoice, _Mapping]] = ..., lost: _Optional[_Union[ResultChoice, _Mapping]] = ..., breaker: _Optional[_Union[Breaker, _Mapping]] = ...) -> None: ...

class SetPolicyRequest(_message.Message):
    __slots__ = ("id", "policy")
    ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    id: int
    policy: PolicyChange
    def __init__(self, id: _Optional[int] = ..., policy: _Optional[_Union[PolicyChange, _Mapping]] = ...) -> None: ...

class SetPolicyResponse(_message.Message):
    __slots__ = ("status", "link")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    link: Link
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., link: _Optional[_Union[Link, _Mapping]] = ...) -> None: ...

class AttachResponse(_message.Message):
    __slots__ = ("status", "link")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    link: Link
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., link: _Optional[_Union[Link, _Mapping]] = ...) -> None: ...

class DetachRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class DetachResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class UnlinkRequest(_message.Message):
    __slots__ = ("attach_type", "parameter", "program_id")
    ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    attach_type: _hook_pb2.AttachType
    parameter: bytes
    program_id: int
    def __init__(self, attach_type: _Optional[_Union[_hook_pb2.AttachType, _Mapping]] = ..., parameter: _Optional[bytes] = ..., program_id: _Optional[int] = ...) -> None: ...

class UnlinkResponse(_message.Message):
    __slots__ = ("status", "ids")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., ids: _Optional[_Iterable[int]] = ...) -> None: ...

class ReplaceRequest(_message.Message):
    __slots__ = ("id", "program_id", "expected_program_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    program_id: int
    expected_program_id: int
    def __init__(self, id: _Optional[int] = ..., program_id: _Optional[int] = ..., expected_program_id: _Optional[int] = ...) -> None: ...

class ReplaceResponse(_message.Message):
    __slots__ = ("status", "link")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    link: Link
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., link: _Optional[_Union[Link, _Mapping]] = ...) -> None: ...

class LinksListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LinksListResponse(_message.Message):
    __slots__ = ("status", "links")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    links: _containers.RepeatedCompositeFieldContainer[Link]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., links: _Optional[_Iterable[_Union[Link, _Mapping]]] = ...) -> None: ...

class ListHooksRequest(_message.Message):
    __slots__ = ("attach_type",)
    ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    attach_type: _hook_pb2.AttachType
    def __init__(self, attach_type: _Optional[_Union[_hook_pb2.AttachType, _Mapping]] = ...) -> None: ...

class ListHooksResponse(_message.Message):
    __slots__ = ("status", "hooks")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    HOOKS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    hooks: _containers.RepeatedCompositeFieldContainer[HookInfo]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., hooks: _Optional[_Iterable[_Union[HookInfo, _Mapping]]] = ...) -> None: ...

class HookInfo(_message.Message):
    __slots__ = ("attach_type", "name", "program_type", "program_type_name", "capability", "wildcards", "provider", "link_type", "bpf_attach_type", "links", "closed_result", "hosted", "default_result")
    ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    WILDCARDS_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    LINK_TYPE_FIELD_NUMBER: _ClassVar[int]
    BPF_ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    CLOSED_RESULT_FIELD_NUMBER: _ClassVar[int]
    HOSTED_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_RESULT_FIELD_NUMBER: _ClassVar[int]
    attach_type: bytes
    name: str
    program_type: bytes
    program_type_name: str
    capability: _contract_pb2.AttachCapability
    wildcards: _containers.RepeatedScalarFieldContainer[bytes]
    provider: str
    link_type: int
    bpf_attach_type: int
    links: _containers.RepeatedCompositeFieldContainer[Link]
    closed_result: int
    hosted: bool
    default_result: int
    def __init__(self, attach_type: _Optional[bytes] = ..., name: _Optional[str] = ..., program_type: _Optional[bytes] = ..., program_type_name: _Optional[str] = ..., capability: _Optional[_Union[_contract_pb2.AttachCapability, str]] = ..., wildcards: _Optional[_Iterable[bytes]] = ..., provider: _Optional[str] = ..., link_type: _Optional[int] = ..., bpf_attach_type: _Optional[int] = ..., links: _Optional[_Iterable[_Union[Link, _Mapping]]] = ..., closed_result: _Optional[int] = ..., hosted: _Optional[bool] = ..., default_result: _Optional[int] = ...) -> None: ...

class CreateHookRequest(_message.Message):
    __slots__ = ("attach_type", "name", "program_type", "capability", "wildcards", "default_result", "default_result_name", "bpf_attach_type", "link_type", "closed_result", "closed_result_name")
    ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    WILDCARDS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_RESULT_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_RESULT_NAME_FIELD_NUMBER: _ClassVar[int]
    BPF_ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    LINK_TYPE_FIELD_NUMBER: _ClassVar[int]
    CLOSED_RESULT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_RESULT_NAME_FIELD_NUMBER: _ClassVar[int]
    attach_type: bytes
    name: str
    program_type: _contracts_pb2.ContractName
    capability: _contract_pb2.AttachCapability
    wildcards: Wildcards
    default_result: int
    default_result_name: str
    bpf_attach_type: int
    link_type: int
    closed_result: int
    closed_result_name: str
    def __init__(self, attach_type: _Optional[bytes] = ..., name: _Optional[str] = ..., program_type: _Optional[_Union[_contracts_pb2.ContractName, _Mapping]] = ..., capability: _Optional[_Union[_contract_pb2.AttachCapability, str]] = ..., wildcards: _Optional[_Union[Wildcards, _Mapping]] = ..., default_result: _Optional[int] = ..., default_result_name: _Optional[str] = ..., bpf_attach_type: _Optional[int] = ..., link_type: _Optional[int] = ..., closed_result: _Optional[int] = ..., closed_result_name: _Optional[str] = ...) -> None: ...

class Wildcards(_message.Message):
    __slots__ = ("parameters",)
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    parameters: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, parameters: _Optional[_Iterable[bytes]] = ...) -> None: ...

class CreateHookResponse(_message.Message):
    __slots__ = ("status", "hook")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    HOOK_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    hook: HookInfo
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., hook: _Optional[_Union[HookInfo, _Mapping]] = ...) -> None: ...

class ImportHookRequest(_message.Message):
    __slots__ = ("content",)
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    def __init__(self, content: _Optional[bytes] = ...) -> None: ...

class ImportHookResponse(_message.Message):
    __slots__ = ("status", "hook")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    HOOK_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    hook: HookInfo
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., hook: _Optional[_Union[HookInfo, _Mapping]] = ...) -> None: ...

class ExportHookRequest(_message.Message):
    __slots__ = ("attach_type",)
    ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    attach_type: _hook_pb2.AttachType
    def __init__(self, attach_type: _Optional[_Union[_hook_pb2.AttachType, _Mapping]] = ...) -> None: ...

class ExportHookResponse(_message.Message):
    __slots__ = ("status", "content")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    content: bytes
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., content: _Optional[bytes] = ...) -> None: ...

class RemoveHookRequest(_message.Message):
    __slots__ = ("attach_type",)
    ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    attach_type: _hook_pb2.AttachType
    def __init__(self, attach_type: _Optional[_Union[_hook_pb2.AttachType, _Mapping]] = ...) -> None: ...

class RemoveHookResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
