from ebpfd_api.v1 import contract_pb2 as _contract_pb2
from ebpfd_api.v1 import peer_pb2 as _peer_pb2
from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_CLIENT: _ClassVar[Role]
    ROLE_PROVIDER: _ClassVar[Role]

class BindingState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BINDING_STATE_UNSPECIFIED: _ClassVar[BindingState]
    BINDING_STATE_ATTACHING: _ClassVar[BindingState]
    BINDING_STATE_READY: _ClassVar[BindingState]
    BINDING_STATE_DETACHING: _ClassVar[BindingState]
    BINDING_STATE_CLEANUP: _ClassVar[BindingState]

class ContextFunction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTEXT_FUNCTION_UNSPECIFIED: _ClassVar[ContextFunction]
    CONTEXT_FUNCTION_CREATE: _ClassVar[ContextFunction]
    CONTEXT_FUNCTION_DESTROY: _ClassVar[ContextFunction]

class BindingCallback(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BINDING_CALLBACK_UNSPECIFIED: _ClassVar[BindingCallback]
    BINDING_CALLBACK_ATTACH: _ClassVar[BindingCallback]
    BINDING_CALLBACK_DETACH: _ClassVar[BindingCallback]
    BINDING_CALLBACK_CLEANUP: _ClassVar[BindingCallback]
    BINDING_CALLBACK_DRAIN: _ClassVar[BindingCallback]

class WatchPart(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WATCH_PART_UNSPECIFIED: _ClassVar[WatchPart]
    WATCH_PART_SNAPSHOT: _ClassVar[WatchPart]
    WATCH_PART_SNAPSHOT_END: _ClassVar[WatchPart]
    WATCH_PART_CHANGES: _ClassVar[WatchPart]

class ChangeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_KIND_UNSPECIFIED: _ClassVar[ChangeKind]
    CHANGE_KIND_PRESENT: _ClassVar[ChangeKind]
    CHANGE_KIND_ADDED: _ClassVar[ChangeKind]
    CHANGE_KIND_CHANGED: _ClassVar[ChangeKind]
    CHANGE_KIND_GONE: _ClassVar[ChangeKind]
ROLE_UNSPECIFIED: Role
ROLE_CLIENT: Role
ROLE_PROVIDER: Role
BINDING_STATE_UNSPECIFIED: BindingState
BINDING_STATE_ATTACHING: BindingState
BINDING_STATE_READY: BindingState
BINDING_STATE_DETACHING: BindingState
BINDING_STATE_CLEANUP: BindingState
CONTEXT_FUNCTION_UNSPECIFIED: ContextFunction
CONTEXT_FUNCTION_CREATE: ContextFunction
CONTEXT_FUNCTION_DESTROY: ContextFunction
BINDING_CALLBACK_UNSPECIFIED: BindingCallback
BINDING_CALLBACK_ATTACH: BindingCallback
BINDING_CALLBACK_DETACH: BindingCallback
BINDING_CALLBACK_CLEANUP: BindingCallback
BINDING_CALLBACK_DRAIN: BindingCallback
WATCH_PART_UNSPECIFIED: WatchPart
WATCH_PART_SNAPSHOT: WatchPart
WATCH_PART_SNAPSHOT_END: WatchPart
WATCH_PART_CHANGES: WatchPart
CHANGE_KIND_UNSPECIFIED: ChangeKind
CHANGE_KIND_PRESENT: ChangeKind
CHANGE_KIND_ADDED: ChangeKind
CHANGE_KIND_CHANGED: ChangeKind
CHANGE_KIND_GONE: ChangeKind

class ModuleId(_message.Message):
    __slots__ = ("guid", "if_luid")
    GUID_FIELD_NUMBER: _ClassVar[int]
    IF_LUID_FIELD_NUMBER: _ClassVar[int]
    guid: bytes
    if_luid: int
    def __init__(self, guid: _Optional[bytes] = ..., if_luid: _Optional[int] = ...) -> None: ...

class RegistrationInstance(_message.Message):
    __slots__ = ("npi_id", "module_id", "number", "characteristics")
    NPI_ID_FIELD_NUMBER: _ClassVar[int]
    MODULE_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHARACTERISTICS_FIELD_NUMBER: _ClassVar[int]
    npi_id: bytes
    module_id: ModuleId
    number: int
    characteristics: Characteristics
    def __init__(self, npi_id: _Optional[bytes] = ..., module_id: _Optional[_Union[ModuleId, _Mapping]] = ..., number: _Optional[int] = ..., characteristics: _Optional[_Union[Characteristics, _Mapping]] = ...) -> None: ...

class Characteristics(_message.Message):
    __slots__ = ("program_data", "attach_provider_data", "extension_data", "btf_resolved_functions", "map_provider_data", "map_client_data", "blob")
    PROGRAM_DATA_FIELD_NUMBER: _ClassVar[int]
    ATTACH_PROVIDER_DATA_FIELD_NUMBER: _ClassVar[int]
    EXTENSION_DATA_FIELD_NUMBER: _ClassVar[int]
    BTF_RESOLVED_FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    MAP_PROVIDER_DATA_FIELD_NUMBER: _ClassVar[int]
    MAP_CLIENT_DATA_FIELD_NUMBER: _ClassVar[int]
    BLOB_FIELD_NUMBER: _ClassVar[int]
    program_data: _contract_pb2.ProgramData
    attach_provider_data: _contract_pb2.AttachProviderData
    extension_data: _contract_pb2.ExtensionData
    btf_resolved_functions: _contract_pb2.BtfResolvedFunctionsData
    map_provider_data: _contract_pb2.MapProviderData
    map_client_data: _contract_pb2.MapClientData
    blob: Blob
    def __init__(self, program_data: _Optional[_Union[_contract_pb2.ProgramData, _Mapping]] = ..., attach_provider_data: _Optional[_Union[_contract_pb2.AttachProviderData, _Mapping]] = ..., extension_data: _Optional[_Union[_contract_pb2.ExtensionData, _Mapping]] = ..., btf_resolved_functions: _Optional[_Union[_contract_pb2.BtfResolvedFunctionsData, _Mapping]] = ..., map_provider_data: _Optional[_Union[_contract_pb2.MapProviderData, _Mapping]] = ..., map_client_data: _Optional[_Union[_contract_pb2.MapClientData, _Mapping]] = ..., blob: _Optional[_Union[Blob, _Mapping]] = ...) -> None: ...

class Blob(_message.Message):
    __slots__ = ("content_type", "value")
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    content_type: str
    value: bytes
    def __init__(self, content_type: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class DispatchTable(_message.Message):
    __slots__ = ("version", "functions", "deadlines")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    DEADLINES_FIELD_NUMBER: _ClassVar[int]
    version: int
    functions: _containers.RepeatedScalarFieldContainer[str]
    deadlines: _containers.RepeatedCompositeFieldContainer[CallDeadline]
    def __init__(self, version: _Optional[int] = ..., functions: _Optional[_Iterable[str]] = ..., deadlines: _Optional[_Iterable[_Union[CallDeadline, _Mapping]]] = ...) -> None: ...

class CallDeadline(_message.Message):
    __slots__ = ("id", "deadline_ms")
    ID_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    id: int
    deadline_ms: int
    def __init__(self, id: _Optional[int] = ..., deadline_ms: _Optional[int] = ...) -> None: ...

class BindingSide(_message.Message):
    __slots__ = ("binding_context", "dispatch")
    BINDING_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DISPATCH_FIELD_NUMBER: _ClassVar[int]
    binding_context: bytes
    dispatch: DispatchTable
    def __init__(self, binding_context: _Optional[bytes] = ..., dispatch: _Optional[_Union[DispatchTable, _Mapping]] = ...) -> None: ...

class Described(_message.Message):
    __slots__ = ("binding", "peer")
    BINDING_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    binding: int
    peer: RegistrationInstance
    def __init__(self, binding: _Optional[int] = ..., peer: _Optional[_Union[RegistrationInstance, _Mapping]] = ...) -> None: ...

class Offered(_message.Message):
    __slots__ = ("binding",)
    BINDING_FIELD_NUMBER: _ClassVar[int]
    binding: int
    def __init__(self, binding: _Optional[int] = ...) -> None: ...

class SessionRequest(_message.Message):
    __slots__ = ("call_id", "hello", "register", "deregister", "client_attach_provider", "detach_complete", "heartbeat", "callback_return", "helper_return", "wait_deregistered", "map_return", "context_return")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    REGISTER_FIELD_NUMBER: _ClassVar[int]
    DEREGISTER_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ATTACH_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    DETACH_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    CALLBACK_RETURN_FIELD_NUMBER: _ClassVar[int]
    HELPER_RETURN_FIELD_NUMBER: _ClassVar[int]
    WAIT_DEREGISTERED_FIELD_NUMBER: _ClassVar[int]
    MAP_RETURN_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_RETURN_FIELD_NUMBER: _ClassVar[int]
    call_id: int
    hello: Hello
    register: Register
    deregister: Deregister
    client_attach_provider: ClientAttachProvider
    detach_complete: DetachComplete
    heartbeat: Heartbeat
    callback_return: CallbackReturn
    helper_return: HelperReturn
    wait_deregistered: WaitDeregistered
    map_return: MapReturn
    context_return: ContextReturn
    def __init__(self, call_id: _Optional[int] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., register: _Optional[_Union[Register, _Mapping]] = ..., deregister: _Optional[_Union[Deregister, _Mapping]] = ..., client_attach_provider: _Optional[_Union[ClientAttachProvider, _Mapping]] = ..., detach_complete: _Optional[_Union[DetachComplete, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., callback_return: _Optional[_Union[CallbackReturn, _Mapping]] = ..., helper_return: _Optional[_Union[HelperReturn, _Mapping]] = ..., wait_deregistered: _Optional[_Union[WaitDeregistered, _Mapping]] = ..., map_return: _Optional[_Union[MapReturn, _Mapping]] = ..., context_return: _Optional[_Union[ContextReturn, _Mapping]] = ...) -> None: ...

class SessionResponse(_message.Message):
    __slots__ = ("callback_id", "welcome", "call_return", "attach", "detach", "cleanup", "helper_call", "deregister_complete", "heartbeat", "described", "offered", "map_call", "context_call")
    CALLBACK_ID_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    CALL_RETURN_FIELD_NUMBER: _ClassVar[int]
    ATTACH_FIELD_NUMBER: _ClassVar[int]
    DETACH_FIELD_NUMBER: _ClassVar[int]
    CLEANUP_FIELD_NUMBER: _ClassVar[int]
    HELPER_CALL_FIELD_NUMBER: _ClassVar[int]
    DEREGISTER_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    DESCRIBED_FIELD_NUMBER: _ClassVar[int]
    OFFERED_FIELD_NUMBER: _ClassVar[int]
    MAP_CALL_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_CALL_FIELD_NUMBER: _ClassVar[int]
    callback_id: int
    welcome: Welcome
    call_return: CallReturn
    attach: AttachCallback
    detach: DetachCallback
    cleanup: CleanupCallback
    helper_call: HelperCall
    deregister_complete: DeregisterComplete
    heartbeat: Heartbeat
    described: Described
    offered: Offered
    map_call: MapCall
    context_call: ContextCall
    def __init__(self, callback_id: _Optional[int] = ..., welcome: _Optional[_Union[Welcome, _Mapping]] = ..., call_return: _Optional[_Union[CallReturn, _Mapping]] = ..., attach: _Optional[_Union[AttachCallback, _Mapping]] = ..., detach: _Optional[_Union[DetachCallback, _Mapping]] = ..., cleanup: _Optional[_Union[CleanupCallback, _Mapping]] = ..., helper_call: _Optional[_Union[HelperCall, _Mapping]] = ..., deregister_complete: _Optional[_Union[DeregisterComplete, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., described: _Optional[_Union[Described, _Mapping]] = ..., offered: _Optional[_Union[Offered, _Mapping]] = ..., map_call: _Optional[_Union[MapCall, _Mapping]] = ..., context_call: _Optional[_Union[ContextCall, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("protocol_version", "name", "process_instance", "resume_token", "capabilities", "process_id", "registrations", "protocol_minor")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROCESS_INSTANCE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    PROCESS_ID_FIELD_NUMBER: _ClassVar[int]
    REGISTRATIONS_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_MINOR_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    name: str
    process_instance: bytes
    resume_token: bytes
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    process_id: int
    registrations: int
    protocol_minor: int
    def __init__(self, protocol_version: _Optional[int] = ..., name: _Optional[str] = ..., process_instance: _Optional[bytes] = ..., resume_token: _Optional[bytes] = ..., capabilities: _Optional[_Iterable[str]] = ..., process_id: _Optional[int] = ..., registrations: _Optional[int] = ..., protocol_minor: _Optional[int] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("protocol_version", "daemon_version", "daemon_instance", "session_id", "resume_token", "lease_ms", "capabilities", "protocol_minor", "local_socket")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    DAEMON_VERSION_FIELD_NUMBER: _ClassVar[int]
    DAEMON_INSTANCE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LEASE_MS_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_MINOR_FIELD_NUMBER: _ClassVar[int]
    LOCAL_SOCKET_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    daemon_version: str
    daemon_instance: bytes
    session_id: str
    resume_token: bytes
    lease_ms: int
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    protocol_minor: int
    local_socket: str
    def __init__(self, protocol_version: _Optional[int] = ..., daemon_version: _Optional[str] = ..., daemon_instance: _Optional[bytes] = ..., session_id: _Optional[str] = ..., resume_token: _Optional[bytes] = ..., lease_ms: _Optional[int] = ..., capabilities: _Optional[_Iterable[str]] = ..., protocol_minor: _Optional[int] = ..., local_socket: _Optional[str] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("ask",)
    ASK_FIELD_NUMBER: _ClassVar[int]
    ask: bool
    def __init__(self, ask: _Optional[bool] = ...) -> None: ...

class Register(_message.Message):
    __slots__ = ("role", "instance", "has_cleanup")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    HAS_CLEANUP_FIELD_NUMBER: _ClassVar[int]
    role: Role
    instance: RegistrationInstance
    has_cleanup: bool
    def __init__(self, role: _Optional[_Union[Role, str]] = ..., instance: _Optional[_Union[RegistrationInstance, _Mapping]] = ..., has_cleanup: _Optional[bool] = ...) -> None: ...

class Deregister(_message.Message):
    __slots__ = ("registration",)
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    registration: int
    def __init__(self, registration: _Optional[int] = ...) -> None: ...

class WaitDeregistered(_message.Message):
    __slots__ = ("registration",)
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    registration: int
    def __init__(self, registration: _Optional[int] = ...) -> None: ...

class ClientAttachProvider(_message.Message):
    __slots__ = ("binding", "client")
    BINDING_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    binding: int
    client: BindingSide
    def __init__(self, binding: _Optional[int] = ..., client: _Optional[_Union[BindingSide, _Mapping]] = ...) -> None: ...

class DetachComplete(_message.Message):
    __slots__ = ("binding", "role")
    BINDING_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    binding: int
    role: Role
    def __init__(self, binding: _Optional[int] = ..., role: _Optional[_Union[Role, str]] = ...) -> None: ...

class CallbackReturn(_message.Message):
    __slots__ = ("callback_id", "status", "provider", "message")
    CALLBACK_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    callback_id: int
    status: int
    provider: BindingSide
    message: str
    def __init__(self, callback_id: _Optional[int] = ..., status: _Optional[int] = ..., provider: _Optional[_Union[BindingSide, _Mapping]] = ..., message: _Optional[str] = ...) -> None: ...

class CallReturn(_message.Message):
    __slots__ = ("call_id", "status", "message", "registration", "provider")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    call_id: int
    status: int
    message: str
    registration: int
    provider: BindingSide
    def __init__(self, call_id: _Optional[int] = ..., status: _Optional[int] = ..., message: _Optional[str] = ..., registration: _Optional[int] = ..., provider: _Optional[_Union[BindingSide, _Mapping]] = ...) -> None: ...

class AttachCallback(_message.Message):
    __slots__ = ("role", "binding", "registration", "peer", "client")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    BINDING_FIELD_NUMBER: _ClassVar[int]
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    role: Role
    binding: int
    registration: int
    peer: RegistrationInstance
    client: BindingSide
    def __init__(self, role: _Optional[_Union[Role, str]] = ..., binding: _Optional[int] = ..., registration: _Optional[int] = ..., peer: _Optional[_Union[RegistrationInstance, _Mapping]] = ..., client: _Optional[_Union[BindingSide, _Mapping]] = ...) -> None: ...

class DetachCallback(_message.Message):
    __slots__ = ("role", "binding")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    BINDING_FIELD_NUMBER: _ClassVar[int]
    role: Role
    binding: int
    def __init__(self, role: _Optional[_Union[Role, str]] = ..., binding: _Optional[int] = ...) -> None: ...

class CleanupCallback(_message.Message):
    __slots__ = ("role", "binding")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    BINDING_FIELD_NUMBER: _ClassVar[int]
    role: Role
    binding: int
    def __init__(self, role: _Optional[_Union[Role, str]] = ..., binding: _Optional[int] = ...) -> None: ...

class DeregisterComplete(_message.Message):
    __slots__ = ("registration",)
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    registration: int
    def __init__(self, registration: _Optional[int] = ...) -> None: ...

class HelperCall(_message.Message):
    __slots__ = ("program_type", "helper_id", "arguments", "context", "deadline_ms", "program_id")
    PROGRAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    HELPER_ID_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    program_type: bytes
    helper_id: int
    arguments: _containers.RepeatedCompositeFieldContainer[HelperArgument]
    context: bytes
    deadline_ms: int
    program_id: int
    def __init__(self, program_type: _Optional[bytes] = ..., helper_id: _Optional[int] = ..., arguments: _Optional[_Iterable[_Union[HelperArgument, _Mapping]]] = ..., context: _Optional[bytes] = ..., deadline_ms: _Optional[int] = ..., program_id: _Optional[int] = ...) -> None: ...

class HelperArgument(_message.Message):
    __slots__ = ("integer", "memory", "map_id", "absent")
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    MAP_ID_FIELD_NUMBER: _ClassVar[int]
    ABSENT_FIELD_NUMBER: _ClassVar[int]
    integer: int
    memory: bytes
    map_id: int
    absent: Absent
    def __init__(self, integer: _Optional[int] = ..., memory: _Optional[bytes] = ..., map_id: _Optional[int] = ..., absent: _Optional[_Union[Absent, _Mapping]] = ...) -> None: ...

class Absent(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class HelperReturn(_message.Message):
    __slots__ = ("callback_id", "result", "outputs", "error")
    CALLBACK_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    callback_id: int
    result: int
    outputs: _containers.RepeatedCompositeFieldContainer[HelperOutput]
    error: str
    def __init__(self, callback_id: _Optional[int] = ..., result: _Optional[int] = ..., outputs: _Optional[_Iterable[_Union[HelperOutput, _Mapping]]] = ..., error: _Optional[str] = ...) -> None: ...

class HelperOutput(_message.Message):
    __slots__ = ("argument", "memory")
    ARGUMENT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    argument: int
    memory: bytes
    def __init__(self, argument: _Optional[int] = ..., memory: _Optional[bytes] = ...) -> None: ...

class MapCall(_message.Message):
    __slots__ = ("function", "binding", "binding_context", "map_context", "map_id", "deadline_ms", "map_type", "key_size", "value_size", "max_entries", "restored", "program_type", "key", "value", "out_value_size", "flags")
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    BINDING_FIELD_NUMBER: _ClassVar[int]
    BINDING_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    MAP_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    MAP_ID_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    MAP_TYPE_FIELD_NUMBER: _ClassVar[int]
    KEY_SIZE_FIELD_NUMBER: _ClassVar[int]
    VALUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    RESTORED_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    OUT_VALUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    function: _contract_pb2.MapFunction
    binding: int
    binding_context: bytes
    map_context: bytes
    map_id: int
    deadline_ms: int
    map_type: int
    key_size: int
    value_size: int
    max_entries: int
    restored: bool
    program_type: bytes
    key: bytes
    value: bytes
    out_value_size: int
    flags: int
    def __init__(self, function: _Optional[_Union[_contract_pb2.MapFunction, str]] = ..., binding: _Optional[int] = ..., binding_context: _Optional[bytes] = ..., map_context: _Optional[bytes] = ..., map_id: _Optional[int] = ..., deadline_ms: _Optional[int] = ..., map_type: _Optional[int] = ..., key_size: _Optional[int] = ..., value_size: _Optional[int] = ..., max_entries: _Optional[int] = ..., restored: _Optional[bool] = ..., program_type: _Optional[bytes] = ..., key: _Optional[bytes] = ..., value: _Optional[bytes] = ..., out_value_size: _Optional[int] = ..., flags: _Optional[int] = ...) -> None: ...

class MapReturn(_message.Message):
    __slots__ = ("callback_id", "result", "message", "actual_value_size", "map_context", "out_value")
    CALLBACK_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_VALUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAP_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    OUT_VALUE_FIELD_NUMBER: _ClassVar[int]
    callback_id: int
    result: int
    message: str
    actual_value_size: int
    map_context: bytes
    out_value: bytes
    def __init__(self, callback_id: _Optional[int] = ..., result: _Optional[int] = ..., message: _Optional[str] = ..., actual_value_size: _Optional[int] = ..., map_context: _Optional[bytes] = ..., out_value: _Optional[bytes] = ...) -> None: ...

class DisconnectRequest(_message.Message):
    __slots__ = ("registration",)
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    registration: int
    def __init__(self, registration: _Optional[int] = ...) -> None: ...

class DisconnectResponse(_message.Message):
    __slots__ = ("status", "registrations")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REGISTRATIONS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    registrations: _containers.RepeatedCompositeFieldContainer[Registration]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., registrations: _Optional[_Iterable[_Union[Registration, _Mapping]]] = ...) -> None: ...

class ContextCall(_message.Message):
    __slots__ = ("function", "program_type", "context", "data", "meta_length", "deadline_ms")
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    META_LENGTH_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    function: ContextFunction
    program_type: bytes
    context: bytes
    data: bytes
    meta_length: int
    deadline_ms: int
    def __init__(self, function: _Optional[_Union[ContextFunction, str]] = ..., program_type: _Optional[bytes] = ..., context: _Optional[bytes] = ..., data: _Optional[bytes] = ..., meta_length: _Optional[int] = ..., deadline_ms: _Optional[int] = ...) -> None: ...

class ContextReturn(_message.Message):
    __slots__ = ("callback_id", "result", "message", "context", "data", "meta_length")
    CALLBACK_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    META_LENGTH_FIELD_NUMBER: _ClassVar[int]
    callback_id: int
    result: int
    message: str
    context: bytes
    data: bytes
    meta_length: int
    def __init__(self, callback_id: _Optional[int] = ..., result: _Optional[int] = ..., message: _Optional[str] = ..., context: _Optional[bytes] = ..., data: _Optional[bytes] = ..., meta_length: _Optional[int] = ...) -> None: ...

class ListProvidersRequest(_message.Message):
    __slots__ = ("npi_id",)
    NPI_ID_FIELD_NUMBER: _ClassVar[int]
    npi_id: bytes
    def __init__(self, npi_id: _Optional[bytes] = ...) -> None: ...

class ListProvidersResponse(_message.Message):
    __slots__ = ("registrations", "status")
    REGISTRATIONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    registrations: _containers.RepeatedCompositeFieldContainer[Registration]
    status: _status_pb2.Status
    def __init__(self, registrations: _Optional[_Iterable[_Union[Registration, _Mapping]]] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class ListClientsRequest(_message.Message):
    __slots__ = ("npi_id",)
    NPI_ID_FIELD_NUMBER: _ClassVar[int]
    npi_id: bytes
    def __init__(self, npi_id: _Optional[bytes] = ...) -> None: ...

class ListClientsResponse(_message.Message):
    __slots__ = ("registrations", "status")
    REGISTRATIONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    registrations: _containers.RepeatedCompositeFieldContainer[Registration]
    status: _status_pb2.Status
    def __init__(self, registrations: _Optional[_Iterable[_Union[Registration, _Mapping]]] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class Registration(_message.Message):
    __slots__ = ("registration", "role", "instance", "owner", "deregistering", "binding_count", "npi_name", "module_name", "peer")
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DEREGISTERING_FIELD_NUMBER: _ClassVar[int]
    BINDING_COUNT_FIELD_NUMBER: _ClassVar[int]
    NPI_NAME_FIELD_NUMBER: _ClassVar[int]
    MODULE_NAME_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    registration: int
    role: Role
    instance: RegistrationInstance
    owner: str
    deregistering: bool
    binding_count: int
    npi_name: str
    module_name: str
    peer: _peer_pb2.Peer
    def __init__(self, registration: _Optional[int] = ..., role: _Optional[_Union[Role, str]] = ..., instance: _Optional[_Union[RegistrationInstance, _Mapping]] = ..., owner: _Optional[str] = ..., deregistering: _Optional[bool] = ..., binding_count: _Optional[int] = ..., npi_name: _Optional[str] = ..., module_name: _Optional[str] = ..., peer: _Optional[_Union[_peer_pb2.Peer, _Mapping]] = ...) -> None: ...

class ListBindingsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListBindingsResponse(_message.Message):
    __slots__ = ("bindings", "status")
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    bindings: _containers.RepeatedCompositeFieldContainer[Binding]
    status: _status_pb2.Status
    def __init__(self, bindings: _Optional[_Iterable[_Union[Binding, _Mapping]]] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class Binding(_message.Message):
    __slots__ = ("binding", "npi_id", "client", "provider", "state", "waits", "overdue")
    BINDING_FIELD_NUMBER: _ClassVar[int]
    NPI_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WAITS_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    binding: int
    npi_id: bytes
    client: Registration
    provider: Registration
    state: BindingState
    waits: _containers.RepeatedCompositeFieldContainer[BindingWait]
    overdue: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, binding: _Optional[int] = ..., npi_id: _Optional[bytes] = ..., client: _Optional[_Union[Registration, _Mapping]] = ..., provider: _Optional[_Union[Registration, _Mapping]] = ..., state: _Optional[_Union[BindingState, str]] = ..., waits: _Optional[_Iterable[_Union[BindingWait, _Mapping]]] = ..., overdue: _Optional[_Iterable[str]] = ...) -> None: ...

class BindingWait(_message.Message):
    __slots__ = ("role", "callback", "module", "elapsed_ms")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CALLBACK_FIELD_NUMBER: _ClassVar[int]
    MODULE_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_MS_FIELD_NUMBER: _ClassVar[int]
    role: Role
    callback: BindingCallback
    module: str
    elapsed_ms: int
    def __init__(self, role: _Optional[_Union[Role, str]] = ..., callback: _Optional[_Union[BindingCallback, str]] = ..., module: _Optional[str] = ..., elapsed_ms: _Optional[int] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("npi_id",)
    NPI_ID_FIELD_NUMBER: _ClassVar[int]
    npi_id: bytes
    def __init__(self, npi_id: _Optional[bytes] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("part", "changes", "lost")
    PART_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    part: WatchPart
    changes: _containers.RepeatedCompositeFieldContainer[WatchChange]
    lost: int
    def __init__(self, part: _Optional[_Union[WatchPart, str]] = ..., changes: _Optional[_Iterable[_Union[WatchChange, _Mapping]]] = ..., lost: _Optional[int] = ...) -> None: ...

class WatchChange(_message.Message):
    __slots__ = ("kind", "registration", "binding")
    KIND_FIELD_NUMBER: _ClassVar[int]
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    BINDING_FIELD_NUMBER: _ClassVar[int]
    kind: ChangeKind
    registration: Registration
    binding: Binding
    def __init__(self, kind: _Optional[_Union[ChangeKind, str]] = ..., registration: _Optional[_Union[Registration, _Mapping]] = ..., binding: _Optional[_Union[Binding, _Mapping]] = ...) -> None: ...
