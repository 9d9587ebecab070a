"""The provider of the general helpers: the engine's own, registered like any extension's."""

from collections.abc import Iterable

from ebpfd import nmr
from ebpfd.contracts import HelperFunctionPrototype
from ebpfd.contracts.validation import MAX_ARGUMENTS
from ebpfd.host.modules import AttachAnswer, LocalModule
from ebpfd.host.registrar import RegistrarHost
from ebpfd_api.npi import GENERAL_HELPERS_MODULE, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.prototype import ArgumentType, ReturnType
from ebpfd_vm import general_helpers


class GeneralHelpers(LocalModule):
    """Accepts every program."""

    label = "general helpers"

    async def provider_attach_client(self, call: nmr.ProviderAttachClient) -> AttachAnswer:
        """Accept."""
        return AttachAnswer(NtStatus.SUCCESS, context=call.registration.to_bytes(8, "little"))


def general_prototypes() -> tuple[HelperFunctionPrototype, ...]:
    """The engine's helpers as contract values."""
    return tuple(
        HelperFunctionPrototype(
            helper_id=helper.helper_id,
            name=helper.name,
            return_type=ReturnType(helper.return_type),
            arguments=_filled(map(ArgumentType, helper.arguments)),
            reallocate_packet=helper.reallocate_packet,
            implicit_context=helper.implicit_context,
        )
        for helper in general_helpers()
    )


def _filled(arguments: Iterable[ArgumentType]) -> tuple[ArgumentType, ...]:
    """Five, as a prototype has them; the engine names those that there are."""
    given = tuple(arguments)
    return (*given, *[ArgumentType.DONTCARE] * (MAX_ARGUMENTS - len(given)))


async def register_general_helpers(registrar: RegistrarHost) -> nmr.RegistrationHandle:
    """Register the provider that every program binds to first."""
    instance = nmr.RegistrationInstance(
        npi_id=PROGRAM_INFORMATION,
        module_id=nmr.ModuleId.guid(GENERAL_HELPERS_MODULE),
        characteristics=general_prototypes(),
    )
    return await registrar.register(nmr.Role.PROVIDER, instance, GeneralHelpers())
