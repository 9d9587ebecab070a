from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

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
    __slots__ = ("program", "section", "pc", "instruction", "reason", "hint", "detail", "source", "judge")
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    PC_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    program: str
    section: str
    pc: int
    instruction: str
    reason: str
    hint: str
    detail: str
    source: SourceLine
    judge: str
    def __init__(self, program: _Optional[str] = ..., section: _Optional[str] = ..., pc: _Optional[int] = ..., instruction: _Optional[str] = ..., reason: _Optional[str] = ..., hint: _Optional[str] = ..., detail: _Optional[str] = ..., source: _Optional[_Union[SourceLine, _Mapping]] = ..., judge: _Optional[str] = ...) -> None: ...

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
