from ebpfd_api.v1 import maps_pb2 as _maps_pb2
from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExecutionType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXECUTION_TYPE_UNSPECIFIED: _ClassVar[ExecutionType]
    EXECUTION_TYPE_JIT: _ClassVar[ExecutionType]
    EXECUTION_TYPE_INTERPRET: _ClassVar[ExecutionType]

class ProgramState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROGRAM_STATE_UNSPECIFIED: _ClassVar[ProgramState]
    PROGRAM_STATE_READY: _ClassVar[ProgramState]
    PROGRAM_STATE_WAITING: _ClassVar[ProgramState]

class Judge(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JUDGE_UNSPECIFIED: _ClassVar[Judge]
    JUDGE_OURS: _ClassVar[Judge]
    JUDGE_PREVAIL: _ClassVar[Judge]
    JUDGE_BOTH: _ClassVar[Judge]
EXECUTION_TYPE_UNSPECIFIED: ExecutionType
EXECUTION_TYPE_JIT: ExecutionType
EXECUTION_TYPE_INTERPRET: ExecutionType
PROGRAM_STATE_UNSPECIFIED: ProgramState
PROGRAM_STATE_READY: ProgramState
PROGRAM_STATE_WAITING: ProgramState
JUDGE_UNSPECIFIED: Judge
JUDGE_OURS: Judge
JUDGE_PREVAIL: Judge
JUDGE_BOTH: Judge

class Program(_message.Message):
    __slots__ = ("id", "name", "section", "program_type", "program_type_name", "state", "state_reason", "map_ids", "link_ids", "instruction_count", "instructions_sha256", "contract_digest", "executor", "blocking", "budget", "counters", "file_name", "loaded", "executor_reason", "metered", "worst_case", "holder_map_ids", "judge", "follows_contract", "pin_paths", "owners", "flags", "latency", "in_flight", "running")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    MAP_IDS_FIELD_NUMBER: _ClassVar[int]
    LINK_IDS_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_SHA256_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    EXECUTOR_FIELD_NUMBER: _ClassVar[int]
    BLOCKING_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    LOADED_FIELD_NUMBER: _ClassVar[int]
    EXECUTOR_REASON_FIELD_NUMBER: _ClassVar[int]
    METERED_FIELD_NUMBER: _ClassVar[int]
    WORST_CASE_FIELD_NUMBER: _ClassVar[int]
    HOLDER_MAP_IDS_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    FOLLOWS_CONTRACT_FIELD_NUMBER: _ClassVar[int]
    PIN_PATHS_FIELD_NUMBER: _ClassVar[int]
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    section: str
    program_type: bytes
    program_type_name: str
    state: ProgramState
    state_reason: str
    map_ids: _containers.RepeatedScalarFieldContainer[int]
    link_ids: _containers.RepeatedScalarFieldContainer[int]
    instruction_count: int
    instructions_sha256: bytes
    contract_digest: bytes
    executor: ExecutionType
    blocking: bool
    budget: int
    counters: ProgramCounters
    file_name: str
    loaded: bool
    executor_reason: str
    metered: bool
    worst_case: int
    holder_map_ids: _containers.RepeatedScalarFieldContainer[int]
    judge: str
    follows_contract: bool
    pin_paths: _containers.RepeatedScalarFieldContainer[str]
    owners: _containers.RepeatedScalarFieldContainer[str]
    flags: int
    latency: Latency
    in_flight: int
    running: int
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., section: _Optional[str] = ..., program_type: _Optional[bytes] = ..., program_type_name: _Optional[str] = ..., state: _Optional[_Union[ProgramState, str]] = ..., state_reason: _Optional[str] = ..., map_ids: _Optional[_Iterable[int]] = ..., link_ids: _Optional[_Iterable[int]] = ..., instruction_count: _Optional[int] = ..., instructions_sha256: _Optional[bytes] = ..., contract_digest: _Optional[bytes] = ..., executor: _Optional[_Union[ExecutionType, str]] = ..., blocking: _Optional[bool] = ..., budget: _Optional[int] = ..., counters: _Optional[_Union[ProgramCounters, _Mapping]] = ..., file_name: _Optional[str] = ..., loaded: _Optional[bool] = ..., executor_reason: _Optional[str] = ..., metered: _Optional[bool] = ..., worst_case: _Optional[int] = ..., holder_map_ids: _Optional[_Iterable[int]] = ..., judge: _Optional[str] = ..., follows_contract: _Optional[bool] = ..., pin_paths: _Optional[_Iterable[str]] = ..., owners: _Optional[_Iterable[str]] = ..., flags: _Optional[int] = ..., latency: _Optional[_Union[Latency, _Mapping]] = ..., in_flight: _Optional[int] = ..., running: _Optional[int] = ...) -> None: ...

class ProgramCounters(_message.Message):
    __slots__ = ("runs", "nanoseconds", "failures")
    class FailuresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    RUNS_FIELD_NUMBER: _ClassVar[int]
    NANOSECONDS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    runs: int
    nanoseconds: int
    failures: _containers.ScalarMap[int, int]
    def __init__(self, runs: _Optional[int] = ..., nanoseconds: _Optional[int] = ..., failures: _Optional[_Mapping[int, int]] = ...) -> None: ...

class Latency(_message.Message):
    __slots__ = ("runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, runs: _Optional[_Iterable[int]] = ...) -> None: ...

class LoadRequest(_message.Message):
    __slots__ = ("object", "file_name", "programs", "execution", "follow_contract", "flags")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    PROGRAMS_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_CONTRACT_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    object: bytes
    file_name: str
    programs: _containers.RepeatedScalarFieldContainer[str]
    execution: ExecutionType
    follow_contract: bool
    flags: int
    def __init__(self, object: _Optional[bytes] = ..., file_name: _Optional[str] = ..., programs: _Optional[_Iterable[str]] = ..., execution: _Optional[_Union[ExecutionType, str]] = ..., follow_contract: _Optional[bool] = ..., flags: _Optional[int] = ...) -> None: ...

class LoadResponse(_message.Message):
    __slots__ = ("status", "programs", "maps")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PROGRAMS_FIELD_NUMBER: _ClassVar[int]
    MAPS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    programs: _containers.RepeatedCompositeFieldContainer[Program]
    maps: _containers.RepeatedCompositeFieldContainer[_maps_pb2.Map]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., programs: _Optional[_Iterable[_Union[Program, _Mapping]]] = ..., maps: _Optional[_Iterable[_Union[_maps_pb2.Map, _Mapping]]] = ...) -> None: ...

class VerifyRequest(_message.Message):
    __slots__ = ("object", "file_name", "programs", "judge")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    PROGRAMS_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    object: bytes
    file_name: str
    programs: _containers.RepeatedScalarFieldContainer[str]
    judge: Judge
    def __init__(self, object: _Optional[bytes] = ..., file_name: _Optional[str] = ..., programs: _Optional[_Iterable[str]] = ..., judge: _Optional[_Union[Judge, str]] = ...) -> None: ...

class VerifyResponse(_message.Message):
    __slots__ = ("status", "verdicts")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    verdicts: _containers.RepeatedCompositeFieldContainer[Verdict]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., verdicts: _Optional[_Iterable[_Union[Verdict, _Mapping]]] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("program", "section", "program_type_name", "accepted", "rejection", "judge", "instruction_count", "has_loops", "duration_ns", "worst_case", "steps", "states", "proved_loops", "decided", "cached")
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REJECTION_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    HAS_LOOPS_FIELD_NUMBER: _ClassVar[int]
    DURATION_NS_FIELD_NUMBER: _ClassVar[int]
    WORST_CASE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    PROVED_LOOPS_FIELD_NUMBER: _ClassVar[int]
    DECIDED_FIELD_NUMBER: _ClassVar[int]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    program: str
    section: str
    program_type_name: str
    accepted: bool
    rejection: _status_pb2.Rejection
    judge: str
    instruction_count: int
    has_loops: bool
    duration_ns: int
    worst_case: int
    steps: int
    states: int
    proved_loops: int
    decided: bool
    cached: bool
    def __init__(self, program: _Optional[str] = ..., section: _Optional[str] = ..., program_type_name: _Optional[str] = ..., accepted: _Optional[bool] = ..., rejection: _Optional[_Union[_status_pb2.Rejection, _Mapping]] = ..., judge: _Optional[str] = ..., instruction_count: _Optional[int] = ..., has_loops: _Optional[bool] = ..., duration_ns: _Optional[int] = ..., worst_case: _Optional[int] = ..., steps: _Optional[int] = ..., states: _Optional[int] = ..., proved_loops: _Optional[int] = ..., decided: _Optional[bool] = ..., cached: _Optional[bool] = ...) -> None: ...

class ProgramsListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ProgramsListResponse(_message.Message):
    __slots__ = ("status", "programs")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PROGRAMS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    programs: _containers.RepeatedCompositeFieldContainer[Program]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., programs: _Optional[_Iterable[_Union[Program, _Mapping]]] = ...) -> None: ...

class ProgramsGetRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ProgramsGetResponse(_message.Message):
    __slots__ = ("status", "program")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    program: Program
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., program: _Optional[_Union[Program, _Mapping]] = ...) -> None: ...

class TestRunRequest(_message.Message):
    __slots__ = ("id", "context", "data", "meta_length", "repeat", "batch_size", "cpu")
    ID_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    META_LENGTH_FIELD_NUMBER: _ClassVar[int]
    REPEAT_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    CPU_FIELD_NUMBER: _ClassVar[int]
    id: int
    context: bytes
    data: bytes
    meta_length: int
    repeat: int
    batch_size: int
    cpu: int
    def __init__(self, id: _Optional[int] = ..., context: _Optional[bytes] = ..., data: _Optional[bytes] = ..., meta_length: _Optional[int] = ..., repeat: _Optional[int] = ..., batch_size: _Optional[int] = ..., cpu: _Optional[int] = ...) -> None: ...

class TestRunResponse(_message.Message):
    __slots__ = ("status", "result", "context", "data", "duration_ns")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DURATION_NS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    result: int
    context: bytes
    data: bytes
    duration_ns: int
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., result: _Optional[int] = ..., context: _Optional[bytes] = ..., data: _Optional[bytes] = ..., duration_ns: _Optional[int] = ...) -> None: ...

class ReloadRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ReloadResponse(_message.Message):
    __slots__ = ("status", "program")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    program: Program
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., program: _Optional[_Union[Program, _Mapping]] = ...) -> None: ...

class UnloadRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class UnloadResponse(_message.Message):
    __slots__ = ("status", "link_ids", "map_ids", "pin_paths", "owners")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LINK_IDS_FIELD_NUMBER: _ClassVar[int]
    MAP_IDS_FIELD_NUMBER: _ClassVar[int]
    PIN_PATHS_FIELD_NUMBER: _ClassVar[int]
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    link_ids: _containers.RepeatedScalarFieldContainer[int]
    map_ids: _containers.RepeatedScalarFieldContainer[int]
    pin_paths: _containers.RepeatedScalarFieldContainer[str]
    owners: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., link_ids: _Optional[_Iterable[int]] = ..., map_ids: _Optional[_Iterable[int]] = ..., pin_paths: _Optional[_Iterable[str]] = ..., owners: _Optional[_Iterable[str]] = ...) -> None: ...

class TraceRequest(_message.Message):
    __slots__ = ("program_id", "no_follow")
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    NO_FOLLOW_FIELD_NUMBER: _ClassVar[int]
    program_id: int
    no_follow: bool
    def __init__(self, program_id: _Optional[int] = ..., no_follow: _Optional[bool] = ...) -> None: ...

class TraceResponse(_message.Message):
    __slots__ = ("time_ns", "program_id", "program_name", "text", "lost")
    TIME_NS_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    time_ns: int
    program_id: int
    program_name: str
    text: str
    lost: int
    def __init__(self, time_ns: _Optional[int] = ..., program_id: _Optional[int] = ..., program_name: _Optional[str] = ..., text: _Optional[str] = ..., lost: _Optional[int] = ...) -> None: ...

class DisassembleRequest(_message.Message):
    __slots__ = ("id", "object", "programs")
    ID_FIELD_NUMBER: _ClassVar[int]
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    PROGRAMS_FIELD_NUMBER: _ClassVar[int]
    id: int
    object: bytes
    programs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[int] = ..., object: _Optional[bytes] = ..., programs: _Optional[_Iterable[str]] = ...) -> None: ...

class DisassembleResponse(_message.Message):
    __slots__ = ("status", "program", "section", "instructions")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    program: str
    section: str
    instructions: _containers.RepeatedCompositeFieldContainer[Instruction]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., program: _Optional[str] = ..., section: _Optional[str] = ..., instructions: _Optional[_Iterable[_Union[Instruction, _Mapping]]] = ...) -> None: ...

class Instruction(_message.Message):
    __slots__ = ("pc", "raw", "text", "label", "reference", "source")
    PC_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    pc: int
    raw: bytes
    text: str
    label: str
    reference: str
    source: _status_pb2.SourceLine
    def __init__(self, pc: _Optional[int] = ..., raw: _Optional[bytes] = ..., text: _Optional[str] = ..., label: _Optional[str] = ..., reference: _Optional[str] = ..., source: _Optional[_Union[_status_pb2.SourceLine, _Mapping]] = ...) -> None: ...
