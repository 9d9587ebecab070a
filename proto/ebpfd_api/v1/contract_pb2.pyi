from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttachCapability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTACH_CAPABILITY_UNSPECIFIED: _ClassVar[AttachCapability]
    ATTACH_CAPABILITY_MULTI_ATTACH_WITH_WILDCARD: _ClassVar[AttachCapability]
    ATTACH_CAPABILITY_SINGLE_ATTACH: _ClassVar[AttachCapability]
    ATTACH_CAPABILITY_SINGLE_ATTACH_PER_HOOK: _ClassVar[AttachCapability]
    ATTACH_CAPABILITY_ONE_PER_PARAMETER: _ClassVar[AttachCapability]

class MapFunction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MAP_FUNCTION_UNSPECIFIED: _ClassVar[MapFunction]
    MAP_FUNCTION_PREPROCESS_MAP_CREATE: _ClassVar[MapFunction]
    MAP_FUNCTION_POSTPROCESS_MAP_DELETE: _ClassVar[MapFunction]
    MAP_FUNCTION_PREPROCESS_ASSOCIATE_PROGRAM_TYPE: _ClassVar[MapFunction]
    MAP_FUNCTION_POSTPROCESS_MAP_FIND_ELEMENT: _ClassVar[MapFunction]
    MAP_FUNCTION_PREPROCESS_MAP_UPDATE_ELEMENT: _ClassVar[MapFunction]
    MAP_FUNCTION_PREPROCESS_MAP_DELETE_ELEMENT: _ClassVar[MapFunction]
    MAP_FUNCTION_POSTPROCESS_MAP_DELETE_ELEMENT: _ClassVar[MapFunction]
ATTACH_CAPABILITY_UNSPECIFIED: AttachCapability
ATTACH_CAPABILITY_MULTI_ATTACH_WITH_WILDCARD: AttachCapability
ATTACH_CAPABILITY_SINGLE_ATTACH: AttachCapability
ATTACH_CAPABILITY_SINGLE_ATTACH_PER_HOOK: AttachCapability
ATTACH_CAPABILITY_ONE_PER_PARAMETER: AttachCapability
MAP_FUNCTION_UNSPECIFIED: MapFunction
MAP_FUNCTION_PREPROCESS_MAP_CREATE: MapFunction
MAP_FUNCTION_POSTPROCESS_MAP_DELETE: MapFunction
MAP_FUNCTION_PREPROCESS_ASSOCIATE_PROGRAM_TYPE: MapFunction
MAP_FUNCTION_POSTPROCESS_MAP_FIND_ELEMENT: MapFunction
MAP_FUNCTION_PREPROCESS_MAP_UPDATE_ELEMENT: MapFunction
MAP_FUNCTION_PREPROCESS_MAP_DELETE_ELEMENT: MapFunction
MAP_FUNCTION_POSTPROCESS_MAP_DELETE_ELEMENT: MapFunction

class ContextDescriptor(_message.Message):
    __slots__ = ("size", "data", "end", "meta")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    size: int
    data: int
    end: int
    meta: int
    def __init__(self, size: _Optional[int] = ..., data: _Optional[int] = ..., end: _Optional[int] = ..., meta: _Optional[int] = ...) -> None: ...

class ProgramTypeDescriptor(_message.Message):
    __slots__ = ("name", "context_descriptor", "program_type", "bpf_prog_type", "is_privileged")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_DESCRIPTOR_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    BPF_PROG_TYPE_FIELD_NUMBER: _ClassVar[int]
    IS_PRIVILEGED_FIELD_NUMBER: _ClassVar[int]
    name: str
    context_descriptor: ContextDescriptor
    program_type: bytes
    bpf_prog_type: int
    is_privileged: bool
    def __init__(self, name: _Optional[str] = ..., context_descriptor: _Optional[_Union[ContextDescriptor, _Mapping]] = ..., program_type: _Optional[bytes] = ..., bpf_prog_type: _Optional[int] = ..., is_privileged: _Optional[bool] = ...) -> None: ...

class HelperFunctionPrototype(_message.Message):
    __slots__ = ("helper_id", "name", "return_type", "arguments", "reallocate_packet", "implicit_context", "code")
    HELPER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RETURN_TYPE_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    REALLOCATE_PACKET_FIELD_NUMBER: _ClassVar[int]
    IMPLICIT_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    helper_id: int
    name: str
    return_type: int
    arguments: _containers.RepeatedScalarFieldContainer[int]
    reallocate_packet: bool
    implicit_context: bool
    code: bytes
    def __init__(self, helper_id: _Optional[int] = ..., name: _Optional[str] = ..., return_type: _Optional[int] = ..., arguments: _Optional[_Iterable[int]] = ..., reallocate_packet: _Optional[bool] = ..., implicit_context: _Optional[bool] = ..., code: _Optional[bytes] = ...) -> None: ...

class ProgramInfo(_message.Message):
    __slots__ = ("type_descriptor", "program_type_specific_helpers", "global_helpers")
    TYPE_DESCRIPTOR_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_TYPE_SPECIFIC_HELPERS_FIELD_NUMBER: _ClassVar[int]
    GLOBAL_HELPERS_FIELD_NUMBER: _ClassVar[int]
    type_descriptor: ProgramTypeDescriptor
    program_type_specific_helpers: _containers.RepeatedCompositeFieldContainer[HelperFunctionPrototype]
    global_helpers: _containers.RepeatedCompositeFieldContainer[HelperFunctionPrototype]
    def __init__(self, type_descriptor: _Optional[_Union[ProgramTypeDescriptor, _Mapping]] = ..., program_type_specific_helpers: _Optional[_Iterable[_Union[HelperFunctionPrototype, _Mapping]]] = ..., global_helpers: _Optional[_Iterable[_Union[HelperFunctionPrototype, _Mapping]]] = ...) -> None: ...

class ContextField(_message.Message):
    __slots__ = ("name", "offset", "size", "writable", "type", "hidden")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    WRITABLE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    offset: int
    size: int
    writable: bool
    type: str
    hidden: bool
    def __init__(self, name: _Optional[str] = ..., offset: _Optional[int] = ..., size: _Optional[int] = ..., writable: _Optional[bool] = ..., type: _Optional[str] = ..., hidden: _Optional[bool] = ...) -> None: ...

class ProgramResult(_message.Message):
    __slots__ = ("value", "name", "stops_chain")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STOPS_CHAIN_FIELD_NUMBER: _ClassVar[int]
    value: int
    name: str
    stops_chain: bool
    def __init__(self, value: _Optional[int] = ..., name: _Optional[str] = ..., stops_chain: _Optional[bool] = ...) -> None: ...

class ProgramData(_message.Message):
    __slots__ = ("program_info", "required_irql", "capabilities", "helper_addresses", "fields", "section_prefixes", "results", "other_results_stop", "default_result", "context_type", "context_btf")
    PROGRAM_INFO_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_IRQL_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    HELPER_ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    SECTION_PREFIXES_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    OTHER_RESULTS_STOP_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_RESULT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_BTF_FIELD_NUMBER: _ClassVar[int]
    program_info: ProgramInfo
    required_irql: int
    capabilities: int
    helper_addresses: _containers.RepeatedScalarFieldContainer[int]
    fields: _containers.RepeatedCompositeFieldContainer[ContextField]
    section_prefixes: _containers.RepeatedScalarFieldContainer[str]
    results: _containers.RepeatedCompositeFieldContainer[ProgramResult]
    other_results_stop: bool
    default_result: int
    context_type: str
    context_btf: bytes
    def __init__(self, program_info: _Optional[_Union[ProgramInfo, _Mapping]] = ..., required_irql: _Optional[int] = ..., capabilities: _Optional[int] = ..., helper_addresses: _Optional[_Iterable[int]] = ..., fields: _Optional[_Iterable[_Union[ContextField, _Mapping]]] = ..., section_prefixes: _Optional[_Iterable[str]] = ..., results: _Optional[_Iterable[_Union[ProgramResult, _Mapping]]] = ..., other_results_stop: _Optional[bool] = ..., default_result: _Optional[int] = ..., context_type: _Optional[str] = ..., context_btf: _Optional[bytes] = ...) -> None: ...

class BtfResolvedFunctionPrototype(_message.Message):
    __slots__ = ("name", "return_type", "arguments", "reallocate_packet")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RETURN_TYPE_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    REALLOCATE_PACKET_FIELD_NUMBER: _ClassVar[int]
    name: str
    return_type: int
    arguments: _containers.RepeatedScalarFieldContainer[int]
    reallocate_packet: bool
    def __init__(self, name: _Optional[str] = ..., return_type: _Optional[int] = ..., arguments: _Optional[_Iterable[int]] = ..., reallocate_packet: _Optional[bool] = ...) -> None: ...

class BtfResolvedFunctionsData(_message.Message):
    __slots__ = ("functions",)
    FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    functions: _containers.RepeatedCompositeFieldContainer[BtfResolvedFunctionPrototype]
    def __init__(self, functions: _Optional[_Iterable[_Union[BtfResolvedFunctionPrototype, _Mapping]]] = ...) -> None: ...

class AttachProviderData(_message.Message):
    __slots__ = ("supported_program_type", "bpf_attach_type", "link_type", "name", "capability", "wildcards", "closed_result", "default_result", "hosted")
    SUPPORTED_PROGRAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    BPF_ATTACH_TYPE_FIELD_NUMBER: _ClassVar[int]
    LINK_TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    WILDCARDS_FIELD_NUMBER: _ClassVar[int]
    CLOSED_RESULT_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_RESULT_FIELD_NUMBER: _ClassVar[int]
    HOSTED_FIELD_NUMBER: _ClassVar[int]
    supported_program_type: bytes
    bpf_attach_type: int
    link_type: int
    name: str
    capability: AttachCapability
    wildcards: _containers.RepeatedScalarFieldContainer[bytes]
    closed_result: int
    default_result: int
    hosted: bool
    def __init__(self, supported_program_type: _Optional[bytes] = ..., bpf_attach_type: _Optional[int] = ..., link_type: _Optional[int] = ..., name: _Optional[str] = ..., capability: _Optional[_Union[AttachCapability, str]] = ..., wildcards: _Optional[_Iterable[bytes]] = ..., closed_result: _Optional[int] = ..., default_result: _Optional[int] = ..., hosted: _Optional[bool] = ...) -> None: ...

class ExtensionData(_message.Message):
    __slots__ = ("data", "prog_attach_flags", "link_id", "program_id", "program_name", "priority", "policy")
    DATA_FIELD_NUMBER: _ClassVar[int]
    PROG_ATTACH_FLAGS_FIELD_NUMBER: _ClassVar[int]
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_NAME_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    prog_attach_flags: int
    link_id: int
    program_id: int
    program_name: str
    priority: int
    policy: LinkPolicy
    def __init__(self, data: _Optional[bytes] = ..., prog_attach_flags: _Optional[int] = ..., link_id: _Optional[int] = ..., program_id: _Optional[int] = ..., program_name: _Optional[str] = ..., priority: _Optional[int] = ..., policy: _Optional[_Union[LinkPolicy, _Mapping]] = ...) -> None: ...

class LinkPolicy(_message.Message):
    __slots__ = ("no_provider", "timeout", "error", "overload", "lost")
    NO_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    OVERLOAD_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    no_provider: int
    timeout: int
    error: int
    overload: int
    lost: int
    def __init__(self, no_provider: _Optional[int] = ..., timeout: _Optional[int] = ..., error: _Optional[int] = ..., overload: _Optional[int] = ..., lost: _Optional[int] = ...) -> None: ...

class BaseMapProperties(_message.Message):
    __slots__ = ("updates_original_value",)
    UPDATES_ORIGINAL_VALUE_FIELD_NUMBER: _ClassVar[int]
    updates_original_value: bool
    def __init__(self, updates_original_value: _Optional[bool] = ...) -> None: ...

class MapProviderData(_message.Message):
    __slots__ = ("map_type", "base_map_type", "base_properties", "base_provider_table", "name")
    MAP_TYPE_FIELD_NUMBER: _ClassVar[int]
    BASE_MAP_TYPE_FIELD_NUMBER: _ClassVar[int]
    BASE_PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    BASE_PROVIDER_TABLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    map_type: int
    base_map_type: int
    base_properties: BaseMapProperties
    base_provider_table: _containers.RepeatedScalarFieldContainer[MapFunction]
    name: str
    def __init__(self, map_type: _Optional[int] = ..., base_map_type: _Optional[int] = ..., base_properties: _Optional[_Union[BaseMapProperties, _Mapping]] = ..., base_provider_table: _Optional[_Iterable[_Union[MapFunction, str]]] = ..., name: _Optional[str] = ...) -> None: ...

class MapClientData(_message.Message):
    __slots__ = ("map_type", "map_id", "map_name")
    MAP_TYPE_FIELD_NUMBER: _ClassVar[int]
    MAP_ID_FIELD_NUMBER: _ClassVar[int]
    MAP_NAME_FIELD_NUMBER: _ClassVar[int]
    map_type: int
    map_id: int
    map_name: str
    def __init__(self, map_type: _Optional[int] = ..., map_id: _Optional[int] = ..., map_name: _Optional[str] = ...) -> None: ...
