from ebpfd_api.v1 import links_pb2 as _links_pb2
from ebpfd_api.v1 import programs_pb2 as _programs_pb2
from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StatsGetRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StatsGetResponse(_message.Message):
    __slots__ = ("status", "uptime_ns", "started_ns", "links", "programs", "daemon", "quotas")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    UPTIME_NS_FIELD_NUMBER: _ClassVar[int]
    STARTED_NS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    PROGRAMS_FIELD_NUMBER: _ClassVar[int]
    DAEMON_FIELD_NUMBER: _ClassVar[int]
    QUOTAS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    uptime_ns: int
    started_ns: int
    links: _containers.RepeatedCompositeFieldContainer[LinkStats]
    programs: _containers.RepeatedCompositeFieldContainer[ProgramStats]
    daemon: DaemonStats
    quotas: _containers.RepeatedCompositeFieldContainer[QuotaStats]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., uptime_ns: _Optional[int] = ..., started_ns: _Optional[int] = ..., links: _Optional[_Iterable[_Union[LinkStats, _Mapping]]] = ..., programs: _Optional[_Iterable[_Union[ProgramStats, _Mapping]]] = ..., daemon: _Optional[_Union[DaemonStats, _Mapping]] = ..., quotas: _Optional[_Iterable[_Union[QuotaStats, _Mapping]]] = ...) -> None: ...

class LinkStats(_message.Message):
    __slots__ = ("id", "program_id", "program_name", "attach_type", "attach_type_name", "parameter", "counters", "latency", "in_flight", "outcomes", "running")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_NAME_FIELD_NUMBER: _ClassVar[int]
    ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    ATTACH_TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    id: int
    program_id: int
    program_name: str
    attach_type: bytes
    attach_type_name: str
    parameter: bytes
    counters: _programs_pb2.ProgramCounters
    latency: _programs_pb2.Latency
    in_flight: int
    outcomes: _links_pb2.LinkOutcomes
    running: int
    def __init__(self, id: _Optional[int] = ..., program_id: _Optional[int] = ..., program_name: _Optional[str] = ..., attach_type: _Optional[bytes] = ..., attach_type_name: _Optional[str] = ..., parameter: _Optional[bytes] = ..., counters: _Optional[_Union[_programs_pb2.ProgramCounters, _Mapping]] = ..., latency: _Optional[_Union[_programs_pb2.Latency, _Mapping]] = ..., in_flight: _Optional[int] = ..., outcomes: _Optional[_Union[_links_pb2.LinkOutcomes, _Mapping]] = ..., running: _Optional[int] = ...) -> None: ...

class ProgramStats(_message.Message):
    __slots__ = ("id", "name", "program_type_name", "counters", "latency")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    program_type_name: str
    counters: _programs_pb2.ProgramCounters
    latency: _programs_pb2.Latency
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., program_type_name: _Optional[str] = ..., counters: _Optional[_Union[_programs_pb2.ProgramCounters, _Mapping]] = ..., latency: _Optional[_Union[_programs_pb2.Latency, _Mapping]] = ...) -> None: ...

class QuotaStats(_message.Message):
    __slots__ = ("name", "told", "limit", "used", "refused", "in_bytes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TOLD_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    IN_BYTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    told: str
    limit: int
    used: int
    refused: int
    in_bytes: bool
    def __init__(self, name: _Optional[str] = ..., told: _Optional[str] = ..., limit: _Optional[int] = ..., used: _Optional[int] = ..., refused: _Optional[int] = ..., in_bytes: _Optional[bool] = ...) -> None: ...

class DaemonStats(_message.Message):
    __slots__ = ("sessions", "registrations", "bindings", "maps", "map_bytes", "pins", "owners", "in_flight", "running")
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    REGISTRATIONS_FIELD_NUMBER: _ClassVar[int]
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    MAPS_FIELD_NUMBER: _ClassVar[int]
    MAP_BYTES_FIELD_NUMBER: _ClassVar[int]
    PINS_FIELD_NUMBER: _ClassVar[int]
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    sessions: int
    registrations: int
    bindings: int
    maps: int
    map_bytes: int
    pins: int
    owners: int
    in_flight: int
    running: int
    def __init__(self, sessions: _Optional[int] = ..., registrations: _Optional[int] = ..., bindings: _Optional[int] = ..., maps: _Optional[int] = ..., map_bytes: _Optional[int] = ..., pins: _Optional[int] = ..., owners: _Optional[int] = ..., in_flight: _Optional[int] = ..., running: _Optional[int] = ...) -> None: ...
