from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DaemonStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DaemonStatusResponse(_message.Message):
    __slots__ = ("status", "version", "process_id", "started_ns", "uptime_ns", "addresses", "certificate_expires_ns", "state", "state_free_bytes", "counts", "troubles")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PROCESS_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_NS_FIELD_NUMBER: _ClassVar[int]
    UPTIME_NS_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_EXPIRES_NS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    TROUBLES_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    version: str
    process_id: int
    started_ns: int
    uptime_ns: int
    addresses: _containers.RepeatedScalarFieldContainer[str]
    certificate_expires_ns: int
    state: str
    state_free_bytes: int
    counts: DaemonCounts
    troubles: _containers.RepeatedCompositeFieldContainer[Trouble]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., version: _Optional[str] = ..., process_id: _Optional[int] = ..., started_ns: _Optional[int] = ..., uptime_ns: _Optional[int] = ..., addresses: _Optional[_Iterable[str]] = ..., certificate_expires_ns: _Optional[int] = ..., state: _Optional[str] = ..., state_free_bytes: _Optional[int] = ..., counts: _Optional[_Union[DaemonCounts, _Mapping]] = ..., troubles: _Optional[_Iterable[_Union[Trouble, _Mapping]]] = ...) -> None: ...

class DaemonCounts(_message.Message):
    __slots__ = ("extensions", "hooks", "programs", "links", "maps", "pins", "owners")
    EXTENSIONS_FIELD_NUMBER: _ClassVar[int]
    HOOKS_FIELD_NUMBER: _ClassVar[int]
    PROGRAMS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    MAPS_FIELD_NUMBER: _ClassVar[int]
    PINS_FIELD_NUMBER: _ClassVar[int]
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    extensions: int
    hooks: int
    programs: int
    links: int
    maps: int
    pins: int
    owners: int
    def __init__(self, extensions: _Optional[int] = ..., hooks: _Optional[int] = ..., programs: _Optional[int] = ..., links: _Optional[int] = ..., maps: _Optional[int] = ..., pins: _Optional[int] = ..., owners: _Optional[int] = ...) -> None: ...

class Trouble(_message.Message):
    __slots__ = ("kind", "told", "advice", "ids")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TOLD_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    told: str
    advice: str
    ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, kind: _Optional[str] = ..., told: _Optional[str] = ..., advice: _Optional[str] = ..., ids: _Optional[_Iterable[int]] = ...) -> None: ...
