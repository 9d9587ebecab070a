from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Batch(_message.Message):
    __slots__ = ("count", "contexts", "data", "data_lengths", "meta_lengths")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CONTEXTS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DATA_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    META_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    count: int
    contexts: bytes
    data: bytes
    data_lengths: bytes
    meta_lengths: bytes
    def __init__(self, count: _Optional[int] = ..., contexts: _Optional[bytes] = ..., data: _Optional[bytes] = ..., data_lengths: _Optional[bytes] = ..., meta_lengths: _Optional[bytes] = ...) -> None: ...

class Origin(_message.Message):
    __slots__ = ("pid", "tid", "uid")
    PID_FIELD_NUMBER: _ClassVar[int]
    TID_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    pid: int
    tid: int
    uid: int
    def __init__(self, pid: _Optional[int] = ..., tid: _Optional[int] = ..., uid: _Optional[int] = ...) -> None: ...

class HookTarget(_message.Message):
    __slots__ = ("attach_type", "parameter")
    ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    attach_type: bytes
    parameter: bytes
    def __init__(self, attach_type: _Optional[bytes] = ..., parameter: _Optional[bytes] = ...) -> None: ...

class Chain(_message.Message):
    __slots__ = ("bindings",)
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    bindings: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, bindings: _Optional[_Iterable[int]] = ...) -> None: ...

class InvokeRequest(_message.Message):
    __slots__ = ("sequence", "binding", "hook", "chain", "count", "contexts", "data", "data_lengths", "meta_lengths", "origin", "deadline_ms", "fire_return")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    BINDING_FIELD_NUMBER: _ClassVar[int]
    HOOK_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CONTEXTS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DATA_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    META_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    FIRE_RETURN_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    binding: int
    hook: HookTarget
    chain: Chain
    count: int
    contexts: bytes
    data: bytes
    data_lengths: bytes
    meta_lengths: bytes
    origin: Origin
    deadline_ms: int
    fire_return: FireReturn
    def __init__(self, sequence: _Optional[int] = ..., binding: _Optional[int] = ..., hook: _Optional[_Union[HookTarget, _Mapping]] = ..., chain: _Optional[_Union[Chain, _Mapping]] = ..., count: _Optional[int] = ..., contexts: _Optional[bytes] = ..., data: _Optional[bytes] = ..., data_lengths: _Optional[bytes] = ..., meta_lengths: _Optional[bytes] = ..., origin: _Optional[_Union[Origin, _Mapping]] = ..., deadline_ms: _Optional[int] = ..., fire_return: _Optional[_Union[FireReturn, _Mapping]] = ...) -> None: ...

class InvokeResponse(_message.Message):
    __slots__ = ("sequence", "code", "message", "codes", "results", "contexts", "data", "failure_result", "fire")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    CONTEXTS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    FAILURE_RESULT_FIELD_NUMBER: _ClassVar[int]
    FIRE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    code: int
    message: str
    codes: bytes
    results: bytes
    contexts: bytes
    data: bytes
    failure_result: int
    fire: Fire
    def __init__(self, sequence: _Optional[int] = ..., code: _Optional[int] = ..., message: _Optional[str] = ..., codes: _Optional[bytes] = ..., results: _Optional[bytes] = ..., contexts: _Optional[bytes] = ..., data: _Optional[bytes] = ..., failure_result: _Optional[int] = ..., fire: _Optional[_Union[Fire, _Mapping]] = ...) -> None: ...

class Fire(_message.Message):
    __slots__ = ("fire_id", "attach_type", "parameter", "has_parameter", "batch", "origin", "deadline_ms")
    FIRE_ID_FIELD_NUMBER: _ClassVar[int]
    ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    HAS_PARAMETER_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    fire_id: int
    attach_type: bytes
    parameter: bytes
    has_parameter: bool
    batch: Batch
    origin: Origin
    deadline_ms: int
    def __init__(self, fire_id: _Optional[int] = ..., attach_type: _Optional[bytes] = ..., parameter: _Optional[bytes] = ..., has_parameter: _Optional[bool] = ..., batch: _Optional[_Union[Batch, _Mapping]] = ..., origin: _Optional[_Union[Origin, _Mapping]] = ..., deadline_ms: _Optional[int] = ...) -> None: ...

class FireReturn(_message.Message):
    __slots__ = ("fire_id", "result", "declined")
    FIRE_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    DECLINED_FIELD_NUMBER: _ClassVar[int]
    fire_id: int
    result: BatchResult
    declined: bool
    def __init__(self, fire_id: _Optional[int] = ..., result: _Optional[_Union[BatchResult, _Mapping]] = ..., declined: _Optional[bool] = ...) -> None: ...

class BatchResult(_message.Message):
    __slots__ = ("code", "message", "codes", "results", "contexts", "data", "failure_result")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    CONTEXTS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    FAILURE_RESULT_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    codes: bytes
    results: bytes
    contexts: bytes
    data: bytes
    failure_result: int
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., codes: _Optional[bytes] = ..., results: _Optional[bytes] = ..., contexts: _Optional[bytes] = ..., data: _Optional[bytes] = ..., failure_result: _Optional[int] = ...) -> None: ...

class AttachType(_message.Message):
    __slots__ = ("guid", "name")
    GUID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    guid: bytes
    name: str
    def __init__(self, guid: _Optional[bytes] = ..., name: _Optional[str] = ...) -> None: ...

class FireRequest(_message.Message):
    __slots__ = ("sequence", "hook", "parameter", "batch", "origin", "deadline_ms")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HOOK_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    hook: AttachType
    parameter: bytes
    batch: Batch
    origin: Origin
    deadline_ms: int
    def __init__(self, sequence: _Optional[int] = ..., hook: _Optional[_Union[AttachType, _Mapping]] = ..., parameter: _Optional[bytes] = ..., batch: _Optional[_Union[Batch, _Mapping]] = ..., origin: _Optional[_Union[Origin, _Mapping]] = ..., deadline_ms: _Optional[int] = ...) -> None: ...

class FireResponse(_message.Message):
    __slots__ = ("sequence", "result")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    result: BatchResult
    def __init__(self, sequence: _Optional[int] = ..., result: _Optional[_Union[BatchResult, _Mapping]] = ...) -> None: ...
