"""A program as a client of program information: the general one and that of its type."""

import pytest

from ebpfd import nmr
from ebpfd.host.general import register_general_helpers
from ebpfd.host.program_clients import ProgramClients
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd_api.npi import PROGRAM_INFORMATION
from tests.daemon.contracts.samples import PROGRAM_TYPE, SAMPLE
from tests.daemon.host.fakes import FakeExtension

INSTANCE = nmr.RegistrationInstance(
    PROGRAM_INFORMATION, nmr.ModuleId.guid(PROGRAM_TYPE), characteristics=SAMPLE
)


@pytest.mark.parametrize("present", ["", "general", "type", "general type"])
async def test_a_program_needs_both_providers_at_that_instant(present: str) -> None:
    """It is not created with one of them; one that comes a moment later is too late."""
    async with Services() as services:
        registrar = RegistrarHost(services)
        if "general" in present:
            await register_general_helpers(registrar)
        extension = FakeExtension()
        if "type" in present:
            await registrar.register(nmr.Role.PROVIDER, INSTANCE, extension)
        clients = ProgramClients(registrar, PROGRAM_TYPE, (), label="program")
        assert (await clients.register() is SAMPLE) == (present == "general type")
        await clients.withdraw()
        assert (registrar.bindings(), registrar.clients()) == ([], [])
