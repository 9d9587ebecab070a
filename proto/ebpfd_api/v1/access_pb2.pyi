from ebpfd_api.v1 import peer_pb2 as _peer_pb2
from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WhoAmIRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WhoAmIResponse(_message.Message):
    __slots__ = ("status", "peer", "restricted", "roles")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    RESTRICTED_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    peer: _peer_pb2.Peer
    restricted: bool
    roles: _containers.RepeatedCompositeFieldContainer[HeldRole]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., peer: _Optional[_Union[_peer_pb2.Peer, _Mapping]] = ..., restricted: _Optional[bool] = ..., roles: _Optional[_Iterable[_Union[HeldRole, _Mapping]]] = ...) -> None: ...

class HeldRole(_message.Message):
    __slots__ = ("name", "rights")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RIGHTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    rights: _containers.RepeatedCompositeFieldContainer[Right]
    def __init__(self, name: _Optional[str] = ..., rights: _Optional[_Iterable[_Union[Right, _Mapping]]] = ...) -> None: ...

class Right(_message.Message):
    __slots__ = ("action", "things")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    THINGS_FIELD_NUMBER: _ClassVar[int]
    action: str
    things: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, action: _Optional[str] = ..., things: _Optional[_Iterable[str]] = ...) -> None: ...
