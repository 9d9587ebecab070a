from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Shadow(_message.Message):
    __slots__ = ("link_id", "program_id", "program_name", "events", "differing", "dropped", "unknown", "stopped", "recent", "share_percent", "skipped")
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_NAME_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    DIFFERING_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    RECENT_FIELD_NUMBER: _ClassVar[int]
    SHARE_PERCENT_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    link_id: int
    program_id: int
    program_name: str
    events: int
    differing: int
    dropped: int
    unknown: int
    stopped: str
    recent: _containers.RepeatedCompositeFieldContainer[ShadowDifference]
    share_percent: int
    skipped: int
    def __init__(self, link_id: _Optional[int] = ..., program_id: _Optional[int] = ..., program_name: _Optional[str] = ..., events: _Optional[int] = ..., differing: _Optional[int] = ..., dropped: _Optional[int] = ..., unknown: _Optional[int] = ..., stopped: _Optional[str] = ..., recent: _Optional[_Iterable[_Union[ShadowDifference, _Mapping]]] = ..., share_percent: _Optional[int] = ..., skipped: _Optional[int] = ...) -> None: ...

class ShadowDifference(_message.Message):
    __slots__ = ("event", "context", "data", "code", "result", "shadow_code", "shadow_result")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SHADOW_CODE_FIELD_NUMBER: _ClassVar[int]
    SHADOW_RESULT_FIELD_NUMBER: _ClassVar[int]
    event: int
    context: bytes
    data: bytes
    code: int
    result: int
    shadow_code: int
    shadow_result: int
    def __init__(self, event: _Optional[int] = ..., context: _Optional[bytes] = ..., data: _Optional[bytes] = ..., code: _Optional[int] = ..., result: _Optional[int] = ..., shadow_code: _Optional[int] = ..., shadow_result: _Optional[int] = ...) -> None: ...

class ShadowsSetRequest(_message.Message):
    __slots__ = ("link_id", "program_id", "share_percent")
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    SHARE_PERCENT_FIELD_NUMBER: _ClassVar[int]
    link_id: int
    program_id: int
    share_percent: int
    def __init__(self, link_id: _Optional[int] = ..., program_id: _Optional[int] = ..., share_percent: _Optional[int] = ...) -> None: ...

class ShadowsSetResponse(_message.Message):
    __slots__ = ("status", "shadow")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    shadow: Shadow
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., shadow: _Optional[_Union[Shadow, _Mapping]] = ...) -> None: ...

class ShadowsClearRequest(_message.Message):
    __slots__ = ("link_id",)
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    link_id: int
    def __init__(self, link_id: _Optional[int] = ...) -> None: ...

class ShadowsClearResponse(_message.Message):
    __slots__ = ("status", "shadow")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    shadow: Shadow
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., shadow: _Optional[_Union[Shadow, _Mapping]] = ...) -> None: ...

class ShadowsGetRequest(_message.Message):
    __slots__ = ("link_id",)
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    link_id: int
    def __init__(self, link_id: _Optional[int] = ...) -> None: ...

class ShadowsGetResponse(_message.Message):
    __slots__ = ("status", "shadow")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    shadow: Shadow
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., shadow: _Optional[_Union[Shadow, _Mapping]] = ...) -> None: ...
