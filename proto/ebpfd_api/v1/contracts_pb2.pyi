from ebpfd_api.v1 import contract_pb2 as _contract_pb2
from ebpfd_api.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ContractFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTRACT_FORMAT_UNSPECIFIED: _ClassVar[ContractFormat]
    CONTRACT_FORMAT_PROTOBUF: _ClassVar[ContractFormat]
    CONTRACT_FORMAT_FLATBUFFERS: _ClassVar[ContractFormat]
    CONTRACT_FORMAT_JSON: _ClassVar[ContractFormat]
    CONTRACT_FORMAT_RPCE: _ClassVar[ContractFormat]
    CONTRACT_FORMAT_RPCE_HISTORIC: _ClassVar[ContractFormat]
    CONTRACT_FORMAT_C: _ClassVar[ContractFormat]
    CONTRACT_FORMAT_FLAT: _ClassVar[ContractFormat]
CONTRACT_FORMAT_UNSPECIFIED: ContractFormat
CONTRACT_FORMAT_PROTOBUF: ContractFormat
CONTRACT_FORMAT_FLATBUFFERS: ContractFormat
CONTRACT_FORMAT_JSON: ContractFormat
CONTRACT_FORMAT_RPCE: ContractFormat
CONTRACT_FORMAT_RPCE_HISTORIC: ContractFormat
CONTRACT_FORMAT_C: ContractFormat
CONTRACT_FORMAT_FLAT: ContractFormat

class Contract(_message.Message):
    __slots__ = ("program_data", "digest", "origin", "imported", "provided")
    PROGRAM_DATA_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    IMPORTED_FIELD_NUMBER: _ClassVar[int]
    PROVIDED_FIELD_NUMBER: _ClassVar[int]
    program_data: _contract_pb2.ProgramData
    digest: bytes
    origin: str
    imported: bool
    provided: bool
    def __init__(self, program_data: _Optional[_Union[_contract_pb2.ProgramData, _Mapping]] = ..., digest: _Optional[bytes] = ..., origin: _Optional[str] = ..., imported: _Optional[bool] = ..., provided: _Optional[bool] = ...) -> None: ...

class ContractsListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ContractsListResponse(_message.Message):
    __slots__ = ("status", "contracts")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONTRACTS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    contracts: _containers.RepeatedCompositeFieldContainer[Contract]
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., contracts: _Optional[_Iterable[_Union[Contract, _Mapping]]] = ...) -> None: ...

class ContractName(_message.Message):
    __slots__ = ("guid", "text")
    GUID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    guid: bytes
    text: str
    def __init__(self, guid: _Optional[bytes] = ..., text: _Optional[str] = ...) -> None: ...

class ContractsGetRequest(_message.Message):
    __slots__ = ("program_type",)
    PROGRAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    program_type: ContractName
    def __init__(self, program_type: _Optional[_Union[ContractName, _Mapping]] = ...) -> None: ...

class ContractsGetResponse(_message.Message):
    __slots__ = ("status", "contract")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    contract: Contract
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., contract: _Optional[_Union[Contract, _Mapping]] = ...) -> None: ...

class ContractsExportRequest(_message.Message):
    __slots__ = ("program_type", "format")
    PROGRAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    program_type: ContractName
    format: ContractFormat
    def __init__(self, program_type: _Optional[_Union[ContractName, _Mapping]] = ..., format: _Optional[_Union[ContractFormat, str]] = ...) -> None: ...

class ContractsExportResponse(_message.Message):
    __slots__ = ("status", "content", "content_type")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    content: bytes
    content_type: str
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., content: _Optional[bytes] = ..., content_type: _Optional[str] = ...) -> None: ...

class ContractsConvertRequest(_message.Message):
    __slots__ = ("content", "to")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    to: ContractFormat
    def __init__(self, content: _Optional[bytes] = ..., to: _Optional[_Union[ContractFormat, str]] = ..., **kwargs) -> None: ...

class ContractsConvertResponse(_message.Message):
    __slots__ = ("status", "content", "content_type")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    content: bytes
    content_type: str
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., content: _Optional[bytes] = ..., content_type: _Optional[str] = ...) -> None: ...

class ContractsImportRequest(_message.Message):
    __slots__ = ("content", "format", "file_name", "provide")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    PROVIDE_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    format: ContractFormat
    file_name: str
    provide: bool
    def __init__(self, content: _Optional[bytes] = ..., format: _Optional[_Union[ContractFormat, str]] = ..., file_name: _Optional[str] = ..., provide: _Optional[bool] = ...) -> None: ...

class ContractsImportResponse(_message.Message):
    __slots__ = ("status", "contract")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    contract: Contract
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., contract: _Optional[_Union[Contract, _Mapping]] = ...) -> None: ...

class ContractsForgetRequest(_message.Message):
    __slots__ = ("program_type",)
    PROGRAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    program_type: ContractName
    def __init__(self, program_type: _Optional[_Union[ContractName, _Mapping]] = ...) -> None: ...

class ContractsForgetResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
