from ebpfd_api.v1 import peer_pb2 as _peer_pb2
from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ObjectType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBJECT_TYPE_UNSPECIFIED: _ClassVar[ObjectType]
    OBJECT_TYPE_PROGRAM: _ClassVar[ObjectType]
    OBJECT_TYPE_MAP: _ClassVar[ObjectType]
    OBJECT_TYPE_LINK: _ClassVar[ObjectType]
OBJECT_TYPE_UNSPECIFIED: ObjectType
OBJECT_TYPE_PROGRAM: ObjectType
OBJECT_TYPE_MAP: ObjectType
OBJECT_TYPE_LINK: ObjectType

class HoldRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class HoldResponse(_message.Message):
    __slots__ = ("status", "token")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    token: str
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., token: _Optional[str] = ...) -> None: ...

class EndRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EndResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class ListOwnersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListOwnersResponse(_message.Message):
    __slots__ = ("status", "owners")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    owners: _containers.RepeatedCompositeFieldContainer[Owner]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., owners: _Optional[_Iterable[_Union[Owner, _Mapping]]] = ...) -> None: ...

class Owner(_message.Message):
    __slots__ = ("name", "ids", "peer")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    name: str
    ids: _containers.RepeatedScalarFieldContainer[int]
    peer: _peer_pb2.Peer
    def __init__(self, name: _Optional[str] = ..., ids: _Optional[_Iterable[int]] = ..., peer: _Optional[_Union[_peer_pb2.Peer, _Mapping]] = ...) -> None: ...

class NextIdRequest(_message.Message):
    __slots__ = ("type", "after")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    type: ObjectType
    after: int
    def __init__(self, type: _Optional[_Union[ObjectType, str]] = ..., after: _Optional[int] = ...) -> None: ...

class NextIdResponse(_message.Message):
    __slots__ = ("status", "id")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    id: int
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., id: _Optional[int] = ...) -> None: ...
