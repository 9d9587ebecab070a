"""Registrations, dispatch tables and binding sides between protobuf and values."""

import dataclasses
from dataclasses import dataclass
from math import ceil

from ebpfd import nmr
from ebpfd.contracts import (
    AttachProviderData,
    BtfFunctionsData,
    ContractError,
    ExtensionData,
    MapClientData,
    MapProviderData,
    ProgramData,
    validate_functions,
    validate_program_data,
)
from ebpfd.host.modules import DispatchTable, LocalModule, Module
from ebpfd.host.peers import Connected
from ebpfd.rpc.contract_codec import (
    decode_attach_data,
    decode_extension_data,
    decode_functions,
    decode_guid,
    decode_map_client,
    decode_map_provider,
    decode_program_data,
    encode_attach_data,
    encode_extension_data,
    encode_functions,
    encode_map_client,
    encode_map_provider,
    encode_program_data,
)
from ebpfd.rpc.contract_formats import decode_blob
from ebpfd.rpc.peers import encode_peer
from ebpfd_api.map_type import map_type_name
from ebpfd_api.npi import (
    BTF_RESOLVED_FUNCTIONS,
    GENERAL_HELPERS_MODULE,
    HOOK,
    MAP_INFORMATION,
    NAMES,
    PROGRAM_INFORMATION,
)
from ebpfd_api.v1 import registrar_pb2 as pb

ROLES = {pb.ROLE_CLIENT: nmr.Role.CLIENT, pb.ROLE_PROVIDER: nmr.Role.PROVIDER}
WIRE_ROLES = {role: wire for wire, role in ROLES.items()}


@dataclass(frozen=True, slots=True)
class Blob:
    """Characteristics of a contract that the daemon knows nothing of."""

    content_type: str
    value: bytes


def decode_role(role: pb.Role) -> nmr.Role:
    """CLIENT or PROVIDER; raises ``ContractError``."""
    if role not in ROLES:
        raise ContractError("role", f"{role} is neither client (1) nor provider (2)")
    return ROLES[role]


def decode_instance(message: pb.RegistrationInstance, role: nmr.Role) -> nmr.RegistrationInstance:
    """What a module registers; raises ``ContractError`` for what makes no sense."""
    npi_id = decode_guid(message.npi_id, "instance.npi_id")
    module_id = _decode_module_id(message.module_id)
    characteristics = _decode_characteristics(message.characteristics, module_id)
    if role is nmr.Role.PROVIDER and npi_id == PROGRAM_INFORMATION:
        if isinstance(characteristics, Blob):
            characteristics = decode_blob(characteristics.value, characteristics.content_type)
        if not isinstance(characteristics, ProgramData):
            raise ContractError("instance.characteristics", "program_data is missing")
        validate_program_data(characteristics)
        if module_id.value != characteristics.program_type:
            raise ContractError("instance.module_id", "is not the program type's GUID")
        if module_id.value == GENERAL_HELPERS_MODULE:
            raise ContractError("instance.module_id", "is that of the daemon's general helpers")
    if role is nmr.Role.PROVIDER and npi_id == HOOK:
        if not isinstance(characteristics, AttachProviderData):
            raise ContractError("instance.characteristics", "attach_provider_data is missing")
        if module_id.kind is not nmr.ModuleIdKind.MIT_GUID:
            raise ContractError("instance.module_id", "is not a GUID, the attach type's")
    if role is nmr.Role.PROVIDER and npi_id == BTF_RESOLVED_FUNCTIONS:
        if not isinstance(characteristics, BtfFunctionsData):
            raise ContractError("instance.characteristics", "btf_resolved_functions is missing")
        validate_functions(characteristics)
    if role is nmr.Role.PROVIDER and npi_id == MAP_INFORMATION:
        _check_map_provider(characteristics, module_id)
    return nmr.RegistrationInstance(npi_id, module_id, message.number, characteristics)


def _check_map_provider(characteristics: object, module_id: nmr.ModuleId) -> None:
    """What else is wrong with it, maps find out when they attach, as in eBPF for Windows."""
    if not isinstance(characteristics, MapProviderData):
        raise ContractError("instance.characteristics", "map_provider_data is missing")
    if module_id.kind is not nmr.ModuleIdKind.MIT_GUID:
        raise ContractError("instance.module_id", "is not a GUID")


def encode_instance(instance: nmr.RegistrationInstance) -> pb.RegistrationInstance:
    """What a peer is shown of a module."""
    message = pb.RegistrationInstance(
        npi_id=instance.npi_id.bytes if instance.npi_id else b"",
        module_id=_encode_module_id(instance.module_id),
        number=instance.number,
    )
    match instance.characteristics:
        case ProgramData() as program:
            message.characteristics.program_data.CopyFrom(encode_program_data(program))
        case AttachProviderData() as attach:
            message.characteristics.attach_provider_data.CopyFrom(encode_attach_data(attach))
        case ExtensionData() as extension:
            message.characteristics.extension_data.CopyFrom(encode_extension_data(extension))
        case BtfFunctionsData() as functions:
            message.characteristics.btf_resolved_functions.CopyFrom(encode_functions(functions))
        case MapProviderData() as provider:
            message.characteristics.map_provider_data.CopyFrom(encode_map_provider(provider))
        case MapClientData() as client:
            message.characteristics.map_client_data.CopyFrom(encode_map_client(client))
        case Blob(content_type, value):
            message.characteristics.blob.content_type = content_type
            message.characteristics.blob.value = value
        case _:
            pass  # the daemon's own modules may show nothing
    return message


def decode_dispatch(side: pb.BindingSide) -> DispatchTable | None:
    """A side's function table, if it has one."""
    if not side.HasField("dispatch"):
        return None
    table = side.dispatch
    deadlines = tuple((each.id, each.deadline_ms / 1000) for each in table.deadlines)
    return DispatchTable(table.version, tuple(table.functions), deadlines)


def encode_side(context: object, dispatch: object) -> pb.BindingSide:
    """One side of a binding for its peer."""
    side = pb.BindingSide(binding_context=context if isinstance(context, bytes) else b"")
    if isinstance(dispatch, DispatchTable):
        side.dispatch.version = dispatch.version
        side.dispatch.functions.extend(dispatch.functions)
        for id_, seconds in dispatch.deadlines:
            side.dispatch.deadlines.add(id=id_, deadline_ms=ceil(seconds * 1000))
    return side


def encode_registration(
    registration: nmr.RegistrationSnapshot, module: Module, *, brief: bool = False
) -> pb.Registration:
    """A registration for listings; *brief* leaves its characteristics out."""
    instance = registration.instance
    npi_id = instance.npi_id
    shown = dataclasses.replace(instance, characteristics=None) if brief else instance
    return pb.Registration(
        registration=registration.handle,
        role=WIRE_ROLES[registration.role],
        instance=encode_instance(shown),
        owner=module.name,
        deregistering=registration.deregistering,
        binding_count=registration.binding_count,
        npi_name=NAMES.get(npi_id, "") if npi_id else "",
        module_name=_module_name(instance, module),
        peer=encode_peer(module.peer) if isinstance(module, Connected) else None,
    )


def _module_name(instance: nmr.RegistrationInstance, module: Module) -> str:
    match instance.characteristics:
        case ProgramData() as program:
            return program.name
        case AttachProviderData() as attach:
            return attach.name
        case ExtensionData() as extension:
            return f"link {extension.link_id} ({extension.program_name})"
        case MapProviderData() as provider:
            return provider.name or map_type_name(provider.map_type)
        case _:
            return module.label if isinstance(module, LocalModule) else ""


def _decode_module_id(message: pb.ModuleId) -> nmr.ModuleId:
    match message.WhichOneof("id"):
        case "guid":
            return nmr.ModuleId.guid(decode_guid(message.guid, "instance.module_id.guid"))
        case "if_luid":
            return nmr.ModuleId(nmr.ModuleIdKind.MIT_IF_LUID, message.if_luid)
        case _:
            raise ContractError("instance.module_id", "is missing")


def _encode_module_id(module_id: nmr.ModuleId) -> pb.ModuleId:
    if isinstance(module_id.value, int):
        return pb.ModuleId(if_luid=module_id.value)
    return pb.ModuleId(guid=module_id.value.bytes)


def _decode_characteristics(message: pb.Characteristics, module_id: nmr.ModuleId) -> object:
    match message.WhichOneof("value"):
        case "program_data":
            return decode_program_data(message.program_data)
        case "attach_provider_data":
            return decode_attach_data(message.attach_provider_data)
        case "extension_data":
            return decode_extension_data(message.extension_data)
        case "btf_resolved_functions":
            if isinstance(module_id.value, int):
                raise ContractError("instance.module_id", "is not a GUID, the module's")
            return decode_functions(message.btf_resolved_functions, module_id.value)
        case "map_provider_data":
            return decode_map_provider(message.map_provider_data)
        case "map_client_data":
            return decode_map_client(message.map_client_data)
        case "blob":
            return Blob(message.blob.content_type, message.blob.value)
        case _:
            return None
