from ebpfd_api.v1 import contract_pb2 as _contract_pb2
from ebpfd_api.v1 import hook_pb2 as _hook_pb2
from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordedWriteKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORDED_WRITE_KIND_UNSPECIFIED: _ClassVar[RecordedWriteKind]
    RECORDED_WRITE_KIND_UPDATE: _ClassVar[RecordedWriteKind]
    RECORDED_WRITE_KIND_DELETE: _ClassVar[RecordedWriteKind]
    RECORDED_WRITE_KIND_POP: _ClassVar[RecordedWriteKind]
RECORDED_WRITE_KIND_UNSPECIFIED: RecordedWriteKind
RECORDED_WRITE_KIND_UPDATE: RecordedWriteKind
RECORDED_WRITE_KIND_DELETE: RecordedWriteKind
RECORDED_WRITE_KIND_POP: RecordedWriteKind

class RecordRequest(_message.Message):
    __slots__ = ("hook", "link_id", "limit", "within_ms")
    HOOK_FIELD_NUMBER: _ClassVar[int]
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    WITHIN_MS_FIELD_NUMBER: _ClassVar[int]
    hook: _hook_pb2.AttachType
    link_id: int
    limit: int
    within_ms: int
    def __init__(self, hook: _Optional[_Union[_hook_pb2.AttachType, _Mapping]] = ..., link_id: _Optional[int] = ..., limit: _Optional[int] = ..., within_ms: _Optional[int] = ...) -> None: ...

class RecordResponse(_message.Message):
    __slots__ = ("status", "entry")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    entry: RecordingEntry
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., entry: _Optional[_Union[RecordingEntry, _Mapping]] = ...) -> None: ...

class RecordingEntry(_message.Message):
    __slots__ = ("head", "map", "map_entries", "program", "batch", "loss", "end", "write", "unseen")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    MAP_FIELD_NUMBER: _ClassVar[int]
    MAP_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    UNSEEN_FIELD_NUMBER: _ClassVar[int]
    head: RecordingHead
    map: RecordedMap
    map_entries: RecordedMapEntries
    program: RecordedProgram
    batch: RecordedBatch
    loss: RecordingLoss
    end: RecordingEnd
    write: RecordedWrite
    unseen: RecordingUnseen
    def __init__(self, head: _Optional[_Union[RecordingHead, _Mapping]] = ..., map: _Optional[_Union[RecordedMap, _Mapping]] = ..., map_entries: _Optional[_Union[RecordedMapEntries, _Mapping]] = ..., program: _Optional[_Union[RecordedProgram, _Mapping]] = ..., batch: _Optional[_Union[RecordedBatch, _Mapping]] = ..., loss: _Optional[_Union[RecordingLoss, _Mapping]] = ..., end: _Optional[_Union[RecordingEnd, _Mapping]] = ..., write: _Optional[_Union[RecordedWrite, _Mapping]] = ..., unseen: _Optional[_Union[RecordingUnseen, _Mapping]] = ...) -> None: ...

class RecordingHead(_message.Message):
    __slots__ = ("began_ns", "attach_type", "attach_type_name", "link_id", "lanes")
    BEGAN_NS_FIELD_NUMBER: _ClassVar[int]
    ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    ATTACH_TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    began_ns: int
    attach_type: bytes
    attach_type_name: str
    link_id: int
    lanes: int
    def __init__(self, began_ns: _Optional[int] = ..., attach_type: _Optional[bytes] = ..., attach_type_name: _Optional[str] = ..., link_id: _Optional[int] = ..., lanes: _Optional[int] = ...) -> None: ...

class RecordedMap(_message.Message):
    __slots__ = ("id", "name", "type", "key_size", "value_size", "max_entries", "flags", "read_only", "inner", "without_entries")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    KEY_SIZE_FIELD_NUMBER: _ClassVar[int]
    VALUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    READ_ONLY_FIELD_NUMBER: _ClassVar[int]
    INNER_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    read_only: bool
    inner: RecordedInnerMap
    without_entries: bool
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., type: _Optional[int] = ..., key_size: _Optional[int] = ..., value_size: _Optional[int] = ..., max_entries: _Optional[int] = ..., flags: _Optional[int] = ..., read_only: _Optional[bool] = ..., inner: _Optional[_Union[RecordedInnerMap, _Mapping]] = ..., without_entries: _Optional[bool] = ...) -> None: ...

class RecordedInnerMap(_message.Message):
    __slots__ = ("type", "key_size", "value_size", "max_entries")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    KEY_SIZE_FIELD_NUMBER: _ClassVar[int]
    VALUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    type: int
    key_size: int
    value_size: int
    max_entries: int
    def __init__(self, type: _Optional[int] = ..., key_size: _Optional[int] = ..., value_size: _Optional[int] = ..., max_entries: _Optional[int] = ...) -> None: ...

class RecordedMapEntries(_message.Message):
    __slots__ = ("map_id", "keys", "values", "programs")
    MAP_ID_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    PROGRAMS_FIELD_NUMBER: _ClassVar[int]
    map_id: int
    keys: bytes
    values: bytes
    programs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, map_id: _Optional[int] = ..., keys: _Optional[bytes] = ..., values: _Optional[bytes] = ..., programs: _Optional[_Iterable[str]] = ...) -> None: ...

class RecordedProgram(_message.Message):
    __slots__ = ("id", "name", "section", "file_name", "object_sha256", "program_sha256", "object", "contract", "functions", "map_ids")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    OBJECT_SHA256_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_SHA256_FIELD_NUMBER: _ClassVar[int]
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    MAP_IDS_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    section: str
    file_name: str
    object_sha256: bytes
    program_sha256: bytes
    object: bytes
    contract: _contract_pb2.ProgramData
    functions: _containers.RepeatedCompositeFieldContainer[RecordedFunction]
    map_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., section: _Optional[str] = ..., file_name: _Optional[str] = ..., object_sha256: _Optional[bytes] = ..., program_sha256: _Optional[bytes] = ..., object: _Optional[bytes] = ..., contract: _Optional[_Union[_contract_pb2.ProgramData, _Mapping]] = ..., functions: _Optional[_Iterable[_Union[RecordedFunction, _Mapping]]] = ..., map_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class RecordedFunction(_message.Message):
    __slots__ = ("module", "function")
    MODULE_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    module: bytes
    function: _contract_pb2.BtfResolvedFunctionPrototype
    def __init__(self, module: _Optional[bytes] = ..., function: _Optional[_Union[_contract_pb2.BtfResolvedFunctionPrototype, _Mapping]] = ...) -> None: ...

class RecordedBatch(_message.Message):
    __slots__ = ("link_id", "program_id", "count", "contexts", "data", "data_lengths", "meta_lengths", "origin", "codes", "results", "contexts_after", "data_after", "lane", "tape", "tape_lengths", "overlapped")
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CONTEXTS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DATA_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    META_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    CONTEXTS_AFTER_FIELD_NUMBER: _ClassVar[int]
    DATA_AFTER_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    TAPE_FIELD_NUMBER: _ClassVar[int]
    TAPE_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    OVERLAPPED_FIELD_NUMBER: _ClassVar[int]
    link_id: int
    program_id: int
    count: int
    contexts: bytes
    data: bytes
    data_lengths: bytes
    meta_lengths: bytes
    origin: _hook_pb2.Origin
    codes: bytes
    results: bytes
    contexts_after: bytes
    data_after: bytes
    lane: int
    tape: bytes
    tape_lengths: bytes
    overlapped: bool
    def __init__(self, link_id: _Optional[int] = ..., program_id: _Optional[int] = ..., count: _Optional[int] = ..., contexts: _Optional[bytes] = ..., data: _Optional[bytes] = ..., data_lengths: _Optional[bytes] = ..., meta_lengths: _Optional[bytes] = ..., origin: _Optional[_Union[_hook_pb2.Origin, _Mapping]] = ..., codes: _Optional[bytes] = ..., results: _Optional[bytes] = ..., contexts_after: _Optional[bytes] = ..., data_after: _Optional[bytes] = ..., lane: _Optional[int] = ..., tape: _Optional[bytes] = ..., tape_lengths: _Optional[bytes] = ..., overlapped: _Optional[bool] = ...) -> None: ...

class RecordedWrite(_message.Message):
    __slots__ = ("map_id", "kind", "keys", "values", "flags", "programs")
    MAP_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    PROGRAMS_FIELD_NUMBER: _ClassVar[int]
    map_id: int
    kind: RecordedWriteKind
    keys: bytes
    values: bytes
    flags: int
    programs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, map_id: _Optional[int] = ..., kind: _Optional[_Union[RecordedWriteKind, str]] = ..., keys: _Optional[bytes] = ..., values: _Optional[bytes] = ..., flags: _Optional[int] = ..., programs: _Optional[_Iterable[str]] = ...) -> None: ...

class RecordingUnseen(_message.Message):
    __slots__ = ("map_id", "link_id", "program_name")
    MAP_ID_FIELD_NUMBER: _ClassVar[int]
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_NAME_FIELD_NUMBER: _ClassVar[int]
    map_id: int
    link_id: int
    program_name: str
    def __init__(self, map_id: _Optional[int] = ..., link_id: _Optional[int] = ..., program_name: _Optional[str] = ...) -> None: ...

class RecordingLoss(_message.Message):
    __slots__ = ("events", "writes")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    WRITES_FIELD_NUMBER: _ClassVar[int]
    events: int
    writes: int
    def __init__(self, events: _Optional[int] = ..., writes: _Optional[int] = ...) -> None: ...

class RecordingEnd(_message.Message):
    __slots__ = ("events", "lost", "reason")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    events: int
    lost: int
    reason: str
    def __init__(self, events: _Optional[int] = ..., lost: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...
