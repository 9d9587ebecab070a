from ebpfd_api.v1 import links_pb2 as _links_pb2
from ebpfd_api.v1 import maps_pb2 as _maps_pb2
from ebpfd_api.v1 import objects_pb2 as _objects_pb2
from ebpfd_api.v1 import programs_pb2 as _programs_pb2
from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PinnedObject(_message.Message):
    __slots__ = ("path", "id", "type", "name")
    PATH_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    path: str
    id: int
    type: _objects_pb2.ObjectType
    name: str
    def __init__(self, path: _Optional[str] = ..., id: _Optional[int] = ..., type: _Optional[_Union[_objects_pb2.ObjectType, str]] = ..., name: _Optional[str] = ...) -> None: ...

class PinRequest(_message.Message):
    __slots__ = ("path", "id")
    PATH_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    path: str
    id: int
    def __init__(self, path: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class PinResponse(_message.Message):
    __slots__ = ("status", "pin")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PIN_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    pin: PinnedObject
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., pin: _Optional[_Union[PinnedObject, _Mapping]] = ...) -> None: ...

class UnpinRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class UnpinResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class PinsListRequest(_message.Message):
    __slots__ = ("types",)
    TYPES_FIELD_NUMBER: _ClassVar[int]
    types: _containers.RepeatedScalarFieldContainer[_objects_pb2.ObjectType]
    def __init__(self, types: _Optional[_Iterable[_Union[_objects_pb2.ObjectType, str]]] = ...) -> None: ...

class PinsListResponse(_message.Message):
    __slots__ = ("status", "pins")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PINS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    pins: _containers.RepeatedCompositeFieldContainer[PinnedObject]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., pins: _Optional[_Iterable[_Union[PinnedObject, _Mapping]]] = ...) -> None: ...

class PinsNextRequest(_message.Message):
    __slots__ = ("after", "types")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    after: str
    types: _containers.RepeatedScalarFieldContainer[_objects_pb2.ObjectType]
    def __init__(self, after: _Optional[str] = ..., types: _Optional[_Iterable[_Union[_objects_pb2.ObjectType, str]]] = ...) -> None: ...

class PinsNextResponse(_message.Message):
    __slots__ = ("status", "pin")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PIN_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    pin: PinnedObject
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., pin: _Optional[_Union[PinnedObject, _Mapping]] = ...) -> None: ...

class OpenRequest(_message.Message):
    __slots__ = ("path", "id")
    PATH_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    path: str
    id: int
    def __init__(self, path: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class OpenResponse(_message.Message):
    __slots__ = ("status", "program", "map", "link", "maps")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    MAP_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    MAPS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    program: _programs_pb2.Program
    map: _maps_pb2.Map
    link: _links_pb2.Link
    maps: _containers.RepeatedCompositeFieldContainer[_maps_pb2.Map]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., program: _Optional[_Union[_programs_pb2.Program, _Mapping]] = ..., map: _Optional[_Union[_maps_pb2.Map, _Mapping]] = ..., link: _Optional[_Union[_links_pb2.Link, _Mapping]] = ..., maps: _Optional[_Iterable[_Union[_maps_pb2.Map, _Mapping]]] = ...) -> None: ...
