"""What a registration must say, by its contract."""

from typing import Final
from uuid import UUID

from ebpfd_api.npi import BTF_RESOLVED_FUNCTIONS, HOOK, MAP_INFORMATION, PROGRAM_INFORMATION
from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk.check._report import fail

CHARACTERISTICS: Final = {
    PROGRAM_INFORMATION.bytes: "program_data",
    HOOK.bytes: "attach_provider_data",
    MAP_INFORMATION.bytes: "map_provider_data",
    BTF_RESOLVED_FUNCTIONS.bytes: "btf_resolved_functions",
}


def registered_as(instance: registrar_pb2.RegistrationInstance) -> tuple[bytes, bytes]:
    """Contract and module."""
    return instance.npi_id, instance.module_id.SerializeToString()


def names(instance: registrar_pb2.RegistrationInstance) -> tuple[str, ...]:
    """What ``--offers`` may call it."""
    said = instance.characteristics
    guid = instance.module_id.guid
    return (
        said.attach_provider_data.name,
        said.program_data.program_info.type_descriptor.name,
        said.map_provider_data.name,
        str(UUID(bytes=guid)) if len(guid) == 16 else "",
    )


def check_instance(instance: registrar_pb2.RegistrationInstance) -> None:
    """End the check if the instance does not have what its contract asks for."""
    if len(instance.npi_id) != 16:
        fail("instance.npi_id is no GUID of 16 bytes")
    wanted = CHARACTERISTICS.get(instance.npi_id)
    if wanted is None:
        return
    if len(instance.module_id.guid) != 16:
        fail(f"{wanted}: instance.module_id is no GUID of 16 bytes")
    if instance.characteristics.WhichOneof("value") != wanted:
        fail(f"instance.characteristics has no {wanted}, which its contract asks for")
    if wanted == "program_data":
        descriptor = instance.characteristics.program_data.program_info.type_descriptor
        if descriptor.program_type != instance.module_id.guid:
            fail(f"program type {descriptor.name}: program_type is not the module id")
    if wanted == "attach_provider_data":
        said = instance.characteristics.attach_provider_data
        if len(said.supported_program_type) != 16:
            fail(f"hook {said.name}: supported_program_type is no GUID of 16 bytes")
