from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Map(_message.Message):
    __slots__ = ("id", "name", "type", "type_name", "key_size", "value_size", "max_entries", "flags", "program_ids", "user_value_size", "lanes", "count", "lost", "inner", "created", "holder_map_ids", "custom", "pin_paths", "owners")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    KEY_SIZE_FIELD_NUMBER: _ClassVar[int]
    VALUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_IDS_FIELD_NUMBER: _ClassVar[int]
    USER_VALUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    INNER_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    HOLDER_MAP_IDS_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_FIELD_NUMBER: _ClassVar[int]
    PIN_PATHS_FIELD_NUMBER: _ClassVar[int]
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    type: int
    type_name: str
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    program_ids: _containers.RepeatedScalarFieldContainer[int]
    user_value_size: int
    lanes: int
    count: int
    lost: int
    inner: InnerMap
    created: bool
    holder_map_ids: _containers.RepeatedScalarFieldContainer[int]
    custom: CustomMap
    pin_paths: _containers.RepeatedScalarFieldContainer[str]
    owners: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., type: _Optional[int] = ..., type_name: _Optional[str] = ..., key_size: _Optional[int] = ..., value_size: _Optional[int] = ..., max_entries: _Optional[int] = ..., flags: _Optional[int] = ..., program_ids: _Optional[_Iterable[int]] = ..., user_value_size: _Optional[int] = ..., lanes: _Optional[int] = ..., count: _Optional[int] = ..., lost: _Optional[int] = ..., inner: _Optional[_Union[InnerMap, _Mapping]] = ..., created: _Optional[bool] = ..., holder_map_ids: _Optional[_Iterable[int]] = ..., custom: _Optional[_Union[CustomMap, _Mapping]] = ..., pin_paths: _Optional[_Iterable[str]] = ..., owners: _Optional[_Iterable[str]] = ...) -> None: ...

class CustomMap(_message.Message):
    __slots__ = ("provider", "reason", "base_map_type", "stored_value_size", "updates_original_value")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BASE_MAP_TYPE_FIELD_NUMBER: _ClassVar[int]
    STORED_VALUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    UPDATES_ORIGINAL_VALUE_FIELD_NUMBER: _ClassVar[int]
    provider: str
    reason: str
    base_map_type: int
    stored_value_size: int
    updates_original_value: bool
    def __init__(self, provider: _Optional[str] = ..., reason: _Optional[str] = ..., base_map_type: _Optional[int] = ..., stored_value_size: _Optional[int] = ..., updates_original_value: _Optional[bool] = ...) -> None: ...

class InnerMap(_message.Message):
    __slots__ = ("type", "type_name", "key_size", "value_size", "max_entries")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    KEY_SIZE_FIELD_NUMBER: _ClassVar[int]
    VALUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    type: int
    type_name: str
    key_size: int
    value_size: int
    max_entries: int
    def __init__(self, type: _Optional[int] = ..., type_name: _Optional[str] = ..., key_size: _Optional[int] = ..., value_size: _Optional[int] = ..., max_entries: _Optional[int] = ...) -> None: ...

class MapsListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MapsListResponse(_message.Message):
    __slots__ = ("status", "maps")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MAPS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    maps: _containers.RepeatedCompositeFieldContainer[Map]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., maps: _Optional[_Iterable[_Union[Map, _Mapping]]] = ...) -> None: ...

class MapsGetRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class MapsGetResponse(_message.Message):
    __slots__ = ("status", "map")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MAP_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    map: Map
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., map: _Optional[_Union[Map, _Mapping]] = ...) -> None: ...

class CreateRequest(_message.Message):
    __slots__ = ("type", "key_size", "value_size", "max_entries", "flags", "name", "inner_map_id", "type_name")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    KEY_SIZE_FIELD_NUMBER: _ClassVar[int]
    VALUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    INNER_MAP_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    name: str
    inner_map_id: int
    type_name: str
    def __init__(self, type: _Optional[int] = ..., key_size: _Optional[int] = ..., value_size: _Optional[int] = ..., max_entries: _Optional[int] = ..., flags: _Optional[int] = ..., name: _Optional[str] = ..., inner_map_id: _Optional[int] = ..., type_name: _Optional[str] = ...) -> None: ...

class CreateResponse(_message.Message):
    __slots__ = ("status", "map")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MAP_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    map: Map
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., map: _Optional[_Union[Map, _Mapping]] = ...) -> None: ...

class RemoveRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class RemoveResponse(_message.Message):
    __slots__ = ("status", "map_ids", "pin_paths", "owners")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MAP_IDS_FIELD_NUMBER: _ClassVar[int]
    PIN_PATHS_FIELD_NUMBER: _ClassVar[int]
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    map_ids: _containers.RepeatedScalarFieldContainer[int]
    pin_paths: _containers.RepeatedScalarFieldContainer[str]
    owners: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., map_ids: _Optional[_Iterable[int]] = ..., pin_paths: _Optional[_Iterable[str]] = ..., owners: _Optional[_Iterable[str]] = ...) -> None: ...

class LookupRequest(_message.Message):
    __slots__ = ("id", "key")
    ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    id: int
    key: bytes
    def __init__(self, id: _Optional[int] = ..., key: _Optional[bytes] = ...) -> None: ...

class LookupResponse(_message.Message):
    __slots__ = ("status", "value")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    value: bytes
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., value: _Optional[bytes] = ...) -> None: ...

class UpdateRequest(_message.Message):
    __slots__ = ("id", "key", "value", "flags", "program_id", "map_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    MAP_ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    key: bytes
    value: bytes
    flags: int
    program_id: int
    map_id: int
    def __init__(self, id: _Optional[int] = ..., key: _Optional[bytes] = ..., value: _Optional[bytes] = ..., flags: _Optional[int] = ..., program_id: _Optional[int] = ..., map_id: _Optional[int] = ...) -> None: ...

class UpdateResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("id", "key")
    ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    id: int
    key: bytes
    def __init__(self, id: _Optional[int] = ..., key: _Optional[bytes] = ...) -> None: ...

class DeleteResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class TakeRequest(_message.Message):
    __slots__ = ("id", "key")
    ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    id: int
    key: bytes
    def __init__(self, id: _Optional[int] = ..., key: _Optional[bytes] = ...) -> None: ...

class TakeResponse(_message.Message):
    __slots__ = ("status", "value")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    value: bytes
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., value: _Optional[bytes] = ...) -> None: ...

class NextRequest(_message.Message):
    __slots__ = ("id", "key")
    ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    id: int
    key: bytes
    def __init__(self, id: _Optional[int] = ..., key: _Optional[bytes] = ...) -> None: ...

class NextResponse(_message.Message):
    __slots__ = ("status", "key")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    key: bytes
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., key: _Optional[bytes] = ...) -> None: ...

class LookupBatchRequest(_message.Message):
    __slots__ = ("id", "after", "count")
    ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    id: int
    after: bytes
    count: int
    def __init__(self, id: _Optional[int] = ..., after: _Optional[bytes] = ..., count: _Optional[int] = ...) -> None: ...

class LookupBatchResponse(_message.Message):
    __slots__ = ("status", "count", "keys", "values", "next")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    count: int
    keys: bytes
    values: bytes
    next: bytes
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., count: _Optional[int] = ..., keys: _Optional[bytes] = ..., values: _Optional[bytes] = ..., next: _Optional[bytes] = ...) -> None: ...

class TakeBatchRequest(_message.Message):
    __slots__ = ("id", "after", "count")
    ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    id: int
    after: bytes
    count: int
    def __init__(self, id: _Optional[int] = ..., after: _Optional[bytes] = ..., count: _Optional[int] = ...) -> None: ...

class TakeBatchResponse(_message.Message):
    __slots__ = ("status", "count", "keys", "values", "next")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    count: int
    keys: bytes
    values: bytes
    next: bytes
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., count: _Optional[int] = ..., keys: _Optional[bytes] = ..., values: _Optional[bytes] = ..., next: _Optional[bytes] = ...) -> None: ...

class UpdateBatchRequest(_message.Message):
    __slots__ = ("id", "keys", "values", "flags")
    ID_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    id: int
    keys: bytes
    values: bytes
    flags: int
    def __init__(self, id: _Optional[int] = ..., keys: _Optional[bytes] = ..., values: _Optional[bytes] = ..., flags: _Optional[int] = ...) -> None: ...

class UpdateBatchResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class DeleteBatchRequest(_message.Message):
    __slots__ = ("id", "keys")
    ID_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    id: int
    keys: bytes
    def __init__(self, id: _Optional[int] = ..., keys: _Optional[bytes] = ...) -> None: ...

class DeleteBatchResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class DumpRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class DumpResponse(_message.Message):
    __slots__ = ("status", "entries")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    entries: _containers.RepeatedCompositeFieldContainer[Entry]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., entries: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ...) -> None: ...

class Entry(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    value: bytes
    def __init__(self, key: _Optional[bytes] = ..., value: _Optional[bytes] = ...) -> None: ...

class EventsRequest(_message.Message):
    __slots__ = ("id", "count")
    ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    id: int
    count: int
    def __init__(self, id: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class EventsResponse(_message.Message):
    __slots__ = ("status", "lanes", "lengths", "data", "lost", "lost_now")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    LENGTHS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    LOST_NOW_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    lanes: bytes
    lengths: bytes
    data: bytes
    lost: _containers.RepeatedScalarFieldContainer[int]
    lost_now: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., lanes: _Optional[bytes] = ..., lengths: _Optional[bytes] = ..., data: _Optional[bytes] = ..., lost: _Optional[_Iterable[int]] = ..., lost_now: _Optional[_Iterable[int]] = ...) -> None: ...
