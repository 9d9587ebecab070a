"""A program as a client of program information: the general one and that of its type."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from ebpfd import nmr
from ebpfd.contracts import BtfFunctionsData, BtfResolvedFunction
from ebpfd.host.callbacks import Callback
from ebpfd.host.general import register_general_helpers
from ebpfd.host.program_clients import ProgramClients
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd.host.test_runs import test_run as run_test
from ebpfd.objects.chains import Batch
from ebpfd_api.npi import BTF_RESOLVED_FUNCTIONS, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.prototype import ArgumentType, ReturnType
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import PROGRAM_TYPE, SAMPLE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import refused, soon, until, world

INSTANCE = nmr.RegistrationInstance(
    PROGRAM_INFORMATION, nmr.ModuleId.guid(PROGRAM_TYPE), characteristics=SAMPLE
)
MODULE = UUID(int=7)
NOTHING = (ArgumentType.DONTCARE,) * 5


@dataclass(frozen=True)
class Bound:
    """A program's clients, that import a function, and the providers of its type and function."""

    registrar: RegistrarHost
    clients: ProgramClients
    type_provider: nmr.RegistrationHandle
    function_provider: nmr.RegistrationHandle

    def bindings(self) -> int:
        """How many of its three bindings are there."""
        return len(self.registrar.bindings())


async def provide_function(
    registrar: RegistrarHost, owner: FakeExtension | None = None
) -> nmr.RegistrationHandle:
    """Register a module with the function that the program imports."""
    function = BtfResolvedFunction(
        module=MODULE, name="count", return_type=ReturnType.INTEGER, arguments=NOTHING
    )
    instance = nmr.RegistrationInstance(
        BTF_RESOLVED_FUNCTIONS,
        nmr.ModuleId.guid(MODULE),
        characteristics=BtfFunctionsData(functions=(function,)),
    )
    module = owner or FakeExtension("functions")
    return await registrar.register(nmr.Role.PROVIDER, instance, module)


@asynccontextmanager
async def bound() -> AsyncGenerator[Bound]:
    """All are there, and the program is sealed."""
    async with Services() as services:
        registrar = RegistrarHost(services)
        await register_general_helpers(registrar)
        types = await registrar.register(nmr.Role.PROVIDER, INSTANCE, FakeExtension("types"))
        functions = await provide_function(registrar)
        imports = [(str(MODULE), "count")]
        clients = ProgramClients(registrar, PROGRAM_TYPE, (), imports, label="program")
        assert await clients.register() is SAMPLE
        clients.seal(SAMPLE)
        yield Bound(registrar, clients, types, functions)
        await clients.withdraw()
        assert (registrar.bindings(), registrar.clients()) == ([], [])


@pytest.mark.parametrize("present", ["", "general", "type", "general type"])
async def test_a_program_needs_both_providers_at_that_instant(present: str) -> None:
    """It is not created with one of them."""
    async with Services() as services:
        registrar = RegistrarHost(services)
        if "general" in present:
            await register_general_helpers(registrar)
        if "type" in present:
            await registrar.register(nmr.Role.PROVIDER, INSTANCE, FakeExtension())
        clients = ProgramClients(registrar, PROGRAM_TYPE, (), label="program")
        assert (await clients.register() is SAMPLE) == (present == "general type")
        await clients.withdraw()
        assert (registrar.bindings(), registrar.clients()) == ([], [])


async def test_an_extension_waits_for_the_helper_calls_in_flight() -> None:
    """Its deregistration is PENDING, nothing new begins, and what runs gets its answer."""
    async with world() as w:
        types, hook = FakeExtension("types"), FakeExtension("hook")
        go = types.hold_helper(42)
        (handle,) = await w.provide(types, hook=False)
        await w.provide_hook(hook)
        link = await w.attached("helper_implicit_2.o")
        running = w.invoke(link, hook, Batch(count=1))
        assert await soon(types.reached.get()) == "helper"
        assert await soon(w.registrar.deregister(handle)) == NtStatus.PENDING
        (binding,) = {each.handle for each in w.registrar.bindings() if each.provider == handle}
        (wait,) = w.registrar.waits(binding)
        assert (wait.callback, wait.role) == (Callback.DRAIN, nmr.Role.CLIENT)
        await refused(run_test(link.program, w.executor, b"", b"", 0, 1), Result.INVALID_ARGUMENT)
        gone = asyncio.ensure_future(w.registrar.wait_deregistered(handle))
        await asyncio.sleep(0)
        assert not gone.done()
        go.set()
        done = await soon(running)
        assert (done.codes, done.results) == (b"\0", (42).to_bytes(4, "little"))
        await soon(gone)


async def test_what_is_in_flight_ends_when_its_extension_vanishes_while_leaving() -> None:
    """Whoever deregisters and does not wait costs the call, and keeps nobody waiting."""
    async with world() as w:
        types, hook = FakeExtension("types"), FakeExtension("hook")
        types.hold_helper()
        (handle,) = await w.provide(types, hook=False)
        await w.provide_hook(hook)
        link = await w.attached("helper_implicit_2.o")
        running = w.invoke(link, hook, Batch(count=1))
        assert await soon(types.reached.get()) == "helper"
        assert await soon(w.registrar.deregister(handle)) == NtStatus.PENDING
        w.lose(types)
        assert (await soon(running)).codes == bytes([Result.EXTENSION_FAILED_TO_LOAD])
        await soon(w.registrar.wait_deregistered(handle))


async def test_a_type_that_leaves_is_not_used_because_a_function_has_come() -> None:
    """The one waits for what is in flight, the other is new: nothing is let in."""
    async with bound() as b:
        uses = b.clients.provider.rundown
        assert uses.acquire()
        assert await soon(b.registrar.deregister(b.type_provider)) == NtStatus.PENDING
        withdrawn = asyncio.ensure_future(b.registrar.withdraw(b.function_provider))
        await provide_function(b.registrar)
        assert uses.closed
        uses.release()
        await soon(b.registrar.wait_deregistered(b.type_provider))
        await soon(withdrawn)
        await until(lambda: b.bindings() == 2)
        assert uses.closed
        await b.registrar.register(nmr.Role.PROVIDER, INSTANCE, FakeExtension("types"))
        assert not uses.closed


async def test_a_function_that_leaves_is_not_used_because_a_type_has_come() -> None:
    """And the other way about."""
    async with bound() as b:
        uses = b.clients.provider.rundown
        await b.registrar.withdraw(b.type_provider)
        uses.reopen()
        assert uses.acquire()
        assert await soon(b.registrar.deregister(b.function_provider)) == NtStatus.PENDING
        await b.registrar.register(nmr.Role.PROVIDER, INSTANCE, FakeExtension("types"))
        assert uses.closed
        uses.release()
        await soon(b.registrar.wait_deregistered(b.function_provider))
        assert uses.closed
        await provide_function(b.registrar)
        assert not uses.closed


async def test_a_second_provider_of_a_module_is_declined() -> None:
    """INVALID_DEVICE_STATE, and it is not asked; one that is not imported is NOINTERFACE."""
    async with bound() as b:
        before = b.bindings()
        second = FakeExtension("second")
        handle = await provide_function(b.registrar, second)
        assert (b.bindings(), second.journal) == (before, [])
        instance = b.registrar.registration(handle).instance
        other = replace(instance, module_id=nmr.ModuleId.guid(UUID(int=8)))
        for offered, status in (
            (instance, NtStatus.INVALID_DEVICE_STATE),
            (other, NtStatus.NOINTERFACE),
        ):
            call = nmr.ClientAttachProvider(nmr.BindingHandle(99), handle, b.clients, offered)
            assert await b.clients.functions.client_attach_provider(call) == status


async def test_another_provider_takes_over_when_what_is_in_flight_has_ended() -> None:
    """It is refused while the old one is bound, and then offered again."""
    async with bound() as b:
        uses = b.clients.provider.rundown
        assert uses.acquire()
        new = FakeExtension("new")
        await b.registrar.register(nmr.Role.PROVIDER, INSTANCE, new)
        assert await soon(b.registrar.deregister(b.type_provider)) == NtStatus.PENDING
        assert (uses.closed, new.journal) == (True, [])
        uses.release()
        await until(lambda: not uses.closed)
        assert b.clients.extension is new
