from ebpfd_api.v1 import peer_pb2 as _peer_pb2
from ebpfd_api.v1 import registrar_pb2 as _registrar_pb2
from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExtensionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXTENSION_STATE_UNSPECIFIED: _ClassVar[ExtensionState]
    EXTENSION_STATE_STARTING: _ClassVar[ExtensionState]
    EXTENSION_STATE_RUNNING: _ClassVar[ExtensionState]
    EXTENSION_STATE_BACKING_OFF: _ClassVar[ExtensionState]
    EXTENSION_STATE_STOPPING: _ClassVar[ExtensionState]
    EXTENSION_STATE_STOPPED: _ClassVar[ExtensionState]
    EXTENSION_STATE_FAILED: _ClassVar[ExtensionState]
    EXTENSION_STATE_CONNECTED: _ClassVar[ExtensionState]

class OutputStream(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTPUT_STREAM_UNSPECIFIED: _ClassVar[OutputStream]
    OUTPUT_STREAM_STDOUT: _ClassVar[OutputStream]
    OUTPUT_STREAM_STDERR: _ClassVar[OutputStream]
EXTENSION_STATE_UNSPECIFIED: ExtensionState
EXTENSION_STATE_STARTING: ExtensionState
EXTENSION_STATE_RUNNING: ExtensionState
EXTENSION_STATE_BACKING_OFF: ExtensionState
EXTENSION_STATE_STOPPING: ExtensionState
EXTENSION_STATE_STOPPED: ExtensionState
EXTENSION_STATE_FAILED: ExtensionState
EXTENSION_STATE_CONNECTED: ExtensionState
OUTPUT_STREAM_UNSPECIFIED: OutputStream
OUTPUT_STREAM_STDOUT: OutputStream
OUTPUT_STREAM_STDERR: OutputStream

class Extension(_message.Message):
    __slots__ = ("name", "hosted", "state", "process_id", "restarts", "since_ns", "reason", "provides", "resident_bytes", "peer")
    NAME_FIELD_NUMBER: _ClassVar[int]
    HOSTED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROCESS_ID_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    SINCE_NS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PROVIDES_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    name: str
    hosted: bool
    state: ExtensionState
    process_id: int
    restarts: int
    since_ns: int
    reason: str
    provides: _containers.RepeatedCompositeFieldContainer[ProvidedModule]
    resident_bytes: int
    peer: _peer_pb2.Peer
    def __init__(self, name: _Optional[str] = ..., hosted: _Optional[bool] = ..., state: _Optional[_Union[ExtensionState, str]] = ..., process_id: _Optional[int] = ..., restarts: _Optional[int] = ..., since_ns: _Optional[int] = ..., reason: _Optional[str] = ..., provides: _Optional[_Iterable[_Union[ProvidedModule, _Mapping]]] = ..., resident_bytes: _Optional[int] = ..., peer: _Optional[_Union[_peer_pb2.Peer, _Mapping]] = ...) -> None: ...

class ProvidedModule(_message.Message):
    __slots__ = ("registration", "npi_id", "npi_name", "module_id", "module_name", "binding_count")
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    NPI_ID_FIELD_NUMBER: _ClassVar[int]
    NPI_NAME_FIELD_NUMBER: _ClassVar[int]
    MODULE_ID_FIELD_NUMBER: _ClassVar[int]
    MODULE_NAME_FIELD_NUMBER: _ClassVar[int]
    BINDING_COUNT_FIELD_NUMBER: _ClassVar[int]
    registration: int
    npi_id: bytes
    npi_name: str
    module_id: _registrar_pb2.ModuleId
    module_name: str
    binding_count: int
    def __init__(self, registration: _Optional[int] = ..., npi_id: _Optional[bytes] = ..., npi_name: _Optional[str] = ..., module_id: _Optional[_Union[_registrar_pb2.ModuleId, _Mapping]] = ..., module_name: _Optional[str] = ..., binding_count: _Optional[int] = ...) -> None: ...

class ExtensionsListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ExtensionsListResponse(_message.Message):
    __slots__ = ("status", "extensions")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EXTENSIONS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    extensions: _containers.RepeatedCompositeFieldContainer[Extension]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., extensions: _Optional[_Iterable[_Union[Extension, _Mapping]]] = ...) -> None: ...

class ExtensionsStartRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ExtensionsStartResponse(_message.Message):
    __slots__ = ("status", "extension")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EXTENSION_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    extension: Extension
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., extension: _Optional[_Union[Extension, _Mapping]] = ...) -> None: ...

class ExtensionsStopRequest(_message.Message):
    __slots__ = ("name", "within_ms")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WITHIN_MS_FIELD_NUMBER: _ClassVar[int]
    name: str
    within_ms: int
    def __init__(self, name: _Optional[str] = ..., within_ms: _Optional[int] = ...) -> None: ...

class ExtensionsStopResponse(_message.Message):
    __slots__ = ("status", "extension")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EXTENSION_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    extension: Extension
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., extension: _Optional[_Union[Extension, _Mapping]] = ...) -> None: ...

class ExtensionsRestartRequest(_message.Message):
    __slots__ = ("name", "within_ms")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WITHIN_MS_FIELD_NUMBER: _ClassVar[int]
    name: str
    within_ms: int
    def __init__(self, name: _Optional[str] = ..., within_ms: _Optional[int] = ...) -> None: ...

class ExtensionsRestartResponse(_message.Message):
    __slots__ = ("status", "extension")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EXTENSION_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    extension: Extension
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., extension: _Optional[_Union[Extension, _Mapping]] = ...) -> None: ...

class ExtensionsLogsRequest(_message.Message):
    __slots__ = ("name", "follow")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    name: str
    follow: bool
    def __init__(self, name: _Optional[str] = ..., follow: _Optional[bool] = ...) -> None: ...

class ExtensionsLogsResponse(_message.Message):
    __slots__ = ("status", "time_ns", "stream", "text", "lost")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TIME_NS_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    time_ns: int
    stream: OutputStream
    text: str
    lost: int
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., time_ns: _Optional[int] = ..., stream: _Optional[_Union[OutputStream, str]] = ..., text: _Optional[str] = ..., lost: _Optional[int] = ...) -> None: ...
