"""Contracts between protobuf and values; a malformed one names its field."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from ebpfd.contracts import (
    AttachProviderData,
    BtfFunctionsData,
    BtfResolvedFunction,
    ContextDescriptor,
    ContextField,
    ContractError,
    ExtensionData,
    HelperFunctionPrototype,
    MapClientData,
    MapProviderData,
    ProgramData,
    ProgramInfo,
    ProgramResult,
    ProgramTypeDescriptor,
)
from ebpfd.contracts.validation import MAX_ARGUMENTS
from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.custom_map import MapFunction
from ebpfd_api.failure import Failure, Policy
from ebpfd_api.prototype import ArgumentType, ReturnType
from ebpfd_api.v1 import contract_pb2 as pb

_Number = TypeVar("_Number", ArgumentType, ReturnType, AttachCapability)


def decode_guid(value: bytes, field: str) -> UUID:
    """A GUID in RFC 4122 order."""
    if len(value) != 16:
        raise ContractError(field, f"a GUID has 16 bytes, not {len(value)}")
    return UUID(bytes=value)


def decode_program_data(message: pb.ProgramData) -> ProgramData:
    """Program information; raises ``ContractError``."""
    info = message.program_info
    return ProgramData(
        program_info=ProgramInfo(
            type_descriptor=_decode_descriptor(info.type_descriptor),
            program_type_specific_helpers=_decode_helpers(
                info.program_type_specific_helpers, "program_type_specific_helpers"
            ),
            global_helpers=_decode_helpers(info.global_helpers, "global_helpers"),
        ),
        required_irql=message.required_irql,
        capabilities=message.capabilities,
        helper_addresses=frozenset(message.helper_addresses),
        fields=tuple(
            ContextField(
                name=field.name,
                offset=field.offset,
                size=field.size,
                writable=field.writable,
                hidden=field.hidden,
                type=field.type,
            )
            for field in message.fields
        ),
        section_prefixes=tuple(message.section_prefixes),
        results=tuple(
            ProgramResult(value=each.value, name=each.name, stops_chain=each.stops_chain)
            for each in message.results
        ),
        other_results_stop=message.other_results_stop,
        default_result=message.default_result,
        context_type=message.context_type,
        context_btf=message.context_btf,
    )


def encode_program_data(data: ProgramData) -> pb.ProgramData:
    """Program information as a message."""
    descriptor = data.program_info.type_descriptor
    context = descriptor.context_descriptor
    return pb.ProgramData(
        program_info=pb.ProgramInfo(
            type_descriptor=pb.ProgramTypeDescriptor(
                name=descriptor.name,
                context_descriptor=pb.ContextDescriptor(
                    size=context.size, data=context.data, end=context.end, meta=context.meta
                ),
                program_type=descriptor.program_type.bytes,
                bpf_prog_type=descriptor.bpf_prog_type,
                is_privileged=descriptor.is_privileged,
            ),
            program_type_specific_helpers=_encode_helpers(
                data.program_info.program_type_specific_helpers
            ),
            global_helpers=_encode_helpers(data.program_info.global_helpers),
        ),
        required_irql=data.required_irql,
        capabilities=data.capabilities,
        helper_addresses=sorted(data.helper_addresses),
        fields=[
            pb.ContextField(
                name=field.name,
                offset=field.offset,
                size=field.size,
                writable=field.writable,
                hidden=field.hidden,
                type=field.type,
            )
            for field in data.fields
        ],
        section_prefixes=data.section_prefixes,
        results=[
            pb.ProgramResult(value=each.value, name=each.name, stops_chain=each.stops_chain)
            for each in data.results
        ],
        other_results_stop=data.other_results_stop,
        default_result=data.default_result,
        context_type=data.context_type,
        context_btf=data.context_btf,
    )


def decode_functions(message: pb.BtfResolvedFunctionsData, module: UUID) -> BtfFunctionsData:
    """A module's functions; raises ``ContractError``."""
    functions: list[BtfResolvedFunction] = []
    for index, each in enumerate(message.functions):
        at = f"functions[{index}]"
        functions.append(
            BtfResolvedFunction(
                module=module,
                name=each.name,
                return_type=_number(ReturnType, each.return_type, f"{at}.return_type"),
                arguments=_arguments(each.arguments, at),
                reallocate_packet=each.reallocate_packet,
            )
        )
    return BtfFunctionsData(functions=tuple(functions))


def decode_map_provider(message: pb.MapProviderData) -> MapProviderData:
    """What a provider of a custom map type says; raises ``ContractError``."""
    table = message.base_provider_table
    if unknown := [each for each in table if each not in MapFunction._value2member_map_]:
        raise ContractError("base_provider_table", f"{unknown[0]} is no function of the table")
    return MapProviderData(
        map_type=message.map_type,
        base_map_type=message.base_map_type,
        updates_original_value=message.base_properties.updates_original_value,
        functions=frozenset(map(MapFunction, table)),
        name=message.name,
    )


def encode_map_provider(data: MapProviderData) -> pb.MapProviderData:
    """What a provider of a custom map type says as a message."""
    return pb.MapProviderData(
        map_type=data.map_type,
        base_map_type=data.base_map_type,
        base_properties=pb.BaseMapProperties(updates_original_value=data.updates_original_value),
        base_provider_table=[pb.MapFunction.Name(each) for each in sorted(data.functions)],
        name=data.name,
    )


def decode_map_client(message: pb.MapClientData) -> MapClientData:
    """Which map a client is."""
    return MapClientData(
        map_type=message.map_type, map_id=message.map_id, map_name=message.map_name
    )


def encode_map_client(data: MapClientData) -> pb.MapClientData:
    """Which map a client is, as a message."""
    return pb.MapClientData(map_type=data.map_type, map_id=data.map_id, map_name=data.map_name)


def encode_functions(data: BtfFunctionsData) -> pb.BtfResolvedFunctionsData:
    """A module's functions as a message."""
    return pb.BtfResolvedFunctionsData(
        functions=[
            pb.BtfResolvedFunctionPrototype(
                name=each.name,
                return_type=each.return_type,
                arguments=[kind for kind in each.arguments if kind is not ArgumentType.DONTCARE],
                reallocate_packet=each.reallocate_packet,
            )
            for each in data.functions
        ]
    )


def decode_attach_data(message: pb.AttachProviderData) -> AttachProviderData:
    """A hook's description; raises ``ContractError``."""
    supported = decode_guid(message.supported_program_type, "supported_program_type")
    if supported.int == 0:
        raise ContractError("supported_program_type", "must not be the all-zero GUID")
    return AttachProviderData(
        supported_program_type=supported,
        bpf_attach_type=message.bpf_attach_type,
        link_type=message.link_type,
        name=message.name,
        capability=decode_capability(message.capability),
        wildcards=tuple(message.wildcards),
        closed_result=message.closed_result if message.HasField("closed_result") else None,
        default_result=message.default_result if message.HasField("default_result") else None,
        hosted=message.hosted,
    )


def decode_capability(number: int) -> AttachCapability:
    """How many links a hook takes; raises ``ContractError``."""
    return _number(AttachCapability, number, "capability")


def encode_attach_data(data: AttachProviderData) -> pb.AttachProviderData:
    """A hook's description as a message."""
    return pb.AttachProviderData(
        supported_program_type=data.supported_program_type.bytes,
        bpf_attach_type=data.bpf_attach_type,
        link_type=data.link_type,
        name=data.name,
        capability=pb.AttachCapability.Name(data.capability),
        wildcards=data.wildcards,
        closed_result=data.closed_result,
        default_result=data.default_result,
        hosted=data.hosted,
    )


def decode_extension_data(message: pb.ExtensionData) -> ExtensionData:
    """A hook client's data."""
    return ExtensionData(
        data=message.data,
        prog_attach_flags=message.prog_attach_flags,
        link_id=message.link_id,
        program_id=message.program_id,
        program_name=message.program_name,
        priority=message.priority,
        policy=decode_policy(message.policy),
    )


def encode_extension_data(data: ExtensionData) -> pb.ExtensionData:
    """A hook client's data as a message."""
    return pb.ExtensionData(
        data=data.data,
        prog_attach_flags=data.prog_attach_flags,
        link_id=data.link_id,
        program_id=data.program_id,
        program_name=data.program_name,
        priority=data.priority,
        policy=encode_policy(data.policy),
    )


def decode_policy(message: pb.LinkPolicy) -> Policy:
    """A link's policy: what is absent is open."""
    return {Failure(each.name): result for each, result in message.ListFields()}


def encode_policy(policy: Policy) -> pb.LinkPolicy:
    """A link's policy as a message."""
    return pb.LinkPolicy(**{failure.value: result for failure, result in policy.items()})


def _decode_descriptor(message: pb.ProgramTypeDescriptor) -> ProgramTypeDescriptor:
    if not message.HasField("context_descriptor"):
        raise ContractError("type_descriptor.context_descriptor", "is missing")
    context = message.context_descriptor
    return ProgramTypeDescriptor(
        name=message.name,
        context_descriptor=ContextDescriptor(
            size=context.size, data=context.data, end=context.end, meta=context.meta
        ),
        program_type=decode_guid(message.program_type, "type_descriptor.program_type"),
        bpf_prog_type=message.bpf_prog_type,
        is_privileged=message.is_privileged,
    )


def _decode_helpers(
    messages: Sequence[pb.HelperFunctionPrototype], where: str
) -> tuple[HelperFunctionPrototype, ...]:
    return tuple(
        _decode_helper(message, f"{where}[{index}]") for index, message in enumerate(messages)
    )


def _decode_helper(message: pb.HelperFunctionPrototype, at: str) -> HelperFunctionPrototype:
    return HelperFunctionPrototype(
        helper_id=message.helper_id,
        name=message.name,
        return_type=_number(ReturnType, message.return_type, f"{at}.return_type"),
        arguments=_arguments(message.arguments, at),
        reallocate_packet=message.reallocate_packet,
        implicit_context=message.implicit_context,
        code=message.code,
    )


def _arguments(numbers: Sequence[int], at: str) -> tuple[ArgumentType, ...]:
    """Five argument types from those that are given."""
    given = len(numbers)
    if given > MAX_ARGUMENTS:
        raise ContractError(f"{at}.arguments", f"{given} are more than {MAX_ARGUMENTS}")
    arguments = [
        _number(ArgumentType, argument, f"{at}.arguments[{index}]")
        for index, argument in enumerate(numbers)
    ]
    return (*arguments, *[ArgumentType.DONTCARE] * (MAX_ARGUMENTS - given))


def _encode_helpers(
    helpers: Sequence[HelperFunctionPrototype],
) -> list[pb.HelperFunctionPrototype]:
    return [
        pb.HelperFunctionPrototype(
            helper_id=helper.helper_id,
            name=helper.name,
            return_type=helper.return_type,
            arguments=[each for each in helper.arguments if each is not ArgumentType.DONTCARE],
            reallocate_packet=helper.reallocate_packet,
            implicit_context=helper.implicit_context,
            code=helper.code,
        )
        for helper in helpers
    ]


def _number(kind: type[_Number], value: int, field: str) -> _Number:
    try:
        return kind(value)
    except ValueError:
        raise ContractError(field, f"{value} is no {kind.__name__}") from None
