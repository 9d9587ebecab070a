from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Way(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAY_UNSPECIFIED: _ClassVar[Way]
    WAY_BRANCH: _ClassVar[Way]
    WAY_ENTER: _ClassVar[Way]
    WAY_LEAVE: _ClassVar[Way]
    WAY_ROUND: _ClassVar[Way]

class RegisterChange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REGISTER_CHANGE_UNSPECIFIED: _ClassVar[RegisterChange]
    REGISTER_CHANGE_WRITTEN: _ClassVar[RegisterChange]
    REGISTER_CHANGE_COPIED: _ClassVar[RegisterChange]
    REGISTER_CHANGE_SPILLED: _ClassVar[RegisterChange]
    REGISTER_CHANGE_FILLED: _ClassVar[RegisterChange]
    REGISTER_CHANGE_REFINED: _ClassVar[RegisterChange]
    REGISTER_CHANGE_INVALIDATED: _ClassVar[RegisterChange]
    REGISTER_CHANGE_PASSED: _ClassVar[RegisterChange]
    REGISTER_CHANGE_RETURNED: _ClassVar[RegisterChange]
WAY_UNSPECIFIED: Way
WAY_BRANCH: Way
WAY_ENTER: Way
WAY_LEAVE: Way
WAY_ROUND: Way
REGISTER_CHANGE_UNSPECIFIED: RegisterChange
REGISTER_CHANGE_WRITTEN: RegisterChange
REGISTER_CHANGE_COPIED: RegisterChange
REGISTER_CHANGE_SPILLED: RegisterChange
REGISTER_CHANGE_FILLED: RegisterChange
REGISTER_CHANGE_REFINED: RegisterChange
REGISTER_CHANGE_INVALIDATED: RegisterChange
REGISTER_CHANGE_PASSED: RegisterChange
REGISTER_CHANGE_RETURNED: RegisterChange

class Status(_message.Message):
    __slots__ = ("code", "message", "rejections")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REJECTIONS_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    rejections: _containers.RepeatedCompositeFieldContainer[Rejection]
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., rejections: _Optional[_Iterable[_Union[Rejection, _Mapping]]] = ...) -> None: ...

class Rejection(_message.Message):
    __slots__ = ("program", "section", "pc", "instruction", "reason", "hint", "detail", "source", "judge", "kind", "obligation", "fact", "proof", "path", "registers", "history", "witness")
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    PC_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OBLIGATION_FIELD_NUMBER: _ClassVar[int]
    FACT_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    REGISTERS_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    WITNESS_FIELD_NUMBER: _ClassVar[int]
    program: str
    section: str
    pc: int
    instruction: str
    reason: str
    hint: str
    detail: str
    source: SourceLine
    judge: str
    kind: str
    obligation: str
    fact: str
    proof: str
    path: _containers.RepeatedCompositeFieldContainer[PathStep]
    registers: _containers.RepeatedCompositeFieldContainer[RegisterFact]
    history: _containers.RepeatedCompositeFieldContainer[RegisterEvent]
    witness: Witness
    def __init__(self, program: _Optional[str] = ..., section: _Optional[str] = ..., pc: _Optional[int] = ..., instruction: _Optional[str] = ..., reason: _Optional[str] = ..., hint: _Optional[str] = ..., detail: _Optional[str] = ..., source: _Optional[_Union[SourceLine, _Mapping]] = ..., judge: _Optional[str] = ..., kind: _Optional[str] = ..., obligation: _Optional[str] = ..., fact: _Optional[str] = ..., proof: _Optional[str] = ..., path: _Optional[_Iterable[_Union[PathStep, _Mapping]]] = ..., registers: _Optional[_Iterable[_Union[RegisterFact, _Mapping]]] = ..., history: _Optional[_Iterable[_Union[RegisterEvent, _Mapping]]] = ..., witness: _Optional[_Union[Witness, _Mapping]] = ...) -> None: ...

class PathStep(_message.Message):
    __slots__ = ("way", "pc", "source", "text", "taken", "next_pc", "next", "times")
    WAY_FIELD_NUMBER: _ClassVar[int]
    PC_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    NEXT_PC_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    way: Way
    pc: int
    source: SourceLine
    text: str
    taken: bool
    next_pc: int
    next: SourceLine
    times: int
    def __init__(self, way: _Optional[_Union[Way, str]] = ..., pc: _Optional[int] = ..., source: _Optional[_Union[SourceLine, _Mapping]] = ..., text: _Optional[str] = ..., taken: _Optional[bool] = ..., next_pc: _Optional[int] = ..., next: _Optional[_Union[SourceLine, _Mapping]] = ..., times: _Optional[int] = ...) -> None: ...

class RegisterFact(_message.Message):
    __slots__ = ("register", "text")
    REGISTER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    register: int
    text: str
    def __init__(self, register: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class RegisterEvent(_message.Message):
    __slots__ = ("change", "pc", "source", "text")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    PC_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    change: RegisterChange
    pc: int
    source: SourceLine
    text: str
    def __init__(self, change: _Optional[_Union[RegisterChange, str]] = ..., pc: _Optional[int] = ..., source: _Optional[_Union[SourceLine, _Mapping]] = ..., text: _Optional[str] = ...) -> None: ...

class Witness(_message.Message):
    __slots__ = ("context", "data", "notes", "outcome", "meta_length", "pc", "code")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    META_LENGTH_FIELD_NUMBER: _ClassVar[int]
    PC_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    context: bytes
    data: bytes
    notes: _containers.RepeatedScalarFieldContainer[str]
    outcome: str
    meta_length: int
    pc: int
    code: int
    def __init__(self, context: _Optional[bytes] = ..., data: _Optional[bytes] = ..., notes: _Optional[_Iterable[str]] = ..., outcome: _Optional[str] = ..., meta_length: _Optional[int] = ..., pc: _Optional[int] = ..., code: _Optional[int] = ...) -> None: ...

class SourceLine(_message.Message):
    __slots__ = ("file", "line", "column", "text")
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    file: str
    line: int
    column: int
    text: str
    def __init__(self, file: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...
