"""The shell around the pure registrar: callbacks as tasks, answers as returns."""

import asyncio
from uuid import UUID

import pytest

from ebpfd import nmr
from ebpfd.host.modules import AttachAnswer, DispatchTable, LocalModule
from ebpfd.host.registrar import ProviderSide, RegistrarHost
from ebpfd_api.ntstatus import NtStatus
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import soon, until, world

NPI = UUID(int=99)
TABLE = DispatchTable(1, ("read", "write"))


class FakeClient(LocalModule):
    """Takes every provider, and keeps what it was given."""

    def __init__(self, registrar: RegistrarHost) -> None:
        self.registrar = registrar
        self.sides: list[ProviderSide] = []
        self.abandons = False

    async def client_attach_provider(self, call: nmr.ClientAttachProvider) -> int:
        """Take it."""
        nested = self.registrar.attach_provider(call.binding, b"mine", TABLE)
        if self.abandons:
            task = asyncio.ensure_future(nested)
            await asyncio.sleep(0)
            task.add_done_callback(lambda done: self.sides.append(done.result()))
            return NtStatus.SUCCESS
        side = await nested
        self.sides.append(side)
        return side.status


def instance(number: int) -> nmr.RegistrationInstance:
    """A module of the test's own contract."""
    return nmr.RegistrationInstance(NPI, nmr.ModuleId.guid(UUID(int=number)))


async def test_both_sides_exchange_contexts_and_dispatch_tables() -> None:
    """For a contract that the daemon knows nothing of."""
    async with world() as w:
        provider, client = FakeExtension(), FakeClient(w.registrar)
        provider.answer = AttachAnswer(NtStatus.SUCCESS, b"yours", TABLE)
        await w.registrar.register(nmr.Role.PROVIDER, instance(1), provider)
        handle = await w.registrar.register(nmr.Role.CLIENT, instance(2), client)
        assert client.sides == [ProviderSide(NtStatus.SUCCESS, b"yours", TABLE)]
        (binding,) = w.registrar.bindings()
        assert (binding.client_context, binding.client_dispatch) == (b"mine", TABLE)
        assert [each.handle for each in w.registrar.clients(NPI)] == [handle]
        assert len(w.registrar.providers(NPI)) == 1


async def test_deregistering_tells_whether_a_wait_is_due() -> None:
    """SUCCESS without bindings, PENDING with one; the wait ends with the last binding."""
    async with world() as w:
        provider, client = FakeExtension(), FakeClient(w.registrar)
        handle = await w.registrar.register(nmr.Role.PROVIDER, instance(1), provider)
        assert await w.registrar.deregister(handle) == NtStatus.SUCCESS
        await soon(w.registrar.wait_deregistered(handle))
        handle = await w.registrar.register(nmr.Role.PROVIDER, instance(1), provider)
        await w.registrar.register(nmr.Role.CLIENT, instance(2), client)
        (binding,) = w.registrar.bindings()
        provider.detach_status = NtStatus.PENDING
        assert await w.registrar.deregister(handle) == NtStatus.PENDING
        waiting = asyncio.ensure_future(w.registrar.wait_deregistered(handle))
        await asyncio.sleep(0)
        assert not waiting.done()
        w.registrar.detach_complete(binding.handle, nmr.Role.PROVIDER)
        await waiting
        with pytest.raises(nmr.LateCallError):
            await w.registrar.deregister(handle)


async def test_a_wait_that_is_cancelled_disturbs_no_other() -> None:
    """Several may wait for one registration."""
    async with world() as w:
        provider, client = FakeExtension(), FakeClient(w.registrar)
        handle = await w.registrar.register(nmr.Role.PROVIDER, instance(1), provider)
        await w.registrar.register(nmr.Role.CLIENT, instance(2), client)
        (binding,) = w.registrar.bindings()
        provider.detach_status = NtStatus.PENDING
        await w.registrar.deregister(handle)
        first, second = (
            asyncio.ensure_future(w.registrar.wait_deregistered(handle)) for _ in range(2)
        )
        await asyncio.sleep(0)
        first.cancel()
        w.registrar.detach_complete(binding.handle, nmr.Role.PROVIDER)
        await soon(second)
        assert first.cancelled()


async def test_an_abandoned_nested_attach_is_still_answered() -> None:
    """The client returned without waiting: the binding ends, and the call with it."""
    async with world() as w:
        provider, client = FakeExtension(), FakeClient(w.registrar)
        client.abandons = True
        gate = provider.hold("attach")
        await w.registrar.register(nmr.Role.PROVIDER, instance(1), provider)
        registering = asyncio.ensure_future(
            w.registrar.register(nmr.Role.CLIENT, instance(2), client)
        )
        assert await soon(provider.reached.get()) == "attach"
        gate.set()
        await soon(registering)
        await until(lambda: bool(client.sides))
        assert client.sides[0].status == NtStatus.DEVICE_NOT_READY
        assert w.registrar.bindings() == []


async def test_a_nested_attach_outside_the_callback_is_out_of_turn() -> None:
    """It is legal once, inside the client's attach callback."""
    async with world() as w:
        client = FakeClient(w.registrar)
        await w.registrar.register(nmr.Role.PROVIDER, instance(1), FakeExtension())
        await w.registrar.register(nmr.Role.CLIENT, instance(2), client)
        (binding,) = w.registrar.bindings()
        with pytest.raises(nmr.OutOfTurnError):
            await w.registrar.attach_provider(binding.handle, b"", None)
        with pytest.raises(nmr.OutOfTurnError):
            w.registrar.detach_complete(binding.handle, nmr.Role.CLIENT)


async def test_losing_both_ends_leaves_nothing() -> None:
    """Whoever goes first."""
    async with world() as w:
        provider, client = FakeExtension(), FakeClient(w.registrar)
        provider.hold("detach")
        await w.registrar.register(nmr.Role.PROVIDER, instance(1), provider)
        await w.registrar.register(nmr.Role.CLIENT, instance(2), client)
        w.registrar.lost(client)
        assert await soon(provider.reached.get()) == "detach"
        w.registrar.lost(provider)
        assert w.leftovers() == []
        w.registrar.lost(provider)


async def test_a_local_module_says_no_unless_told_otherwise() -> None:
    """As a client and as a provider."""
    async with world() as w:
        client = FakeClient(w.registrar)
        await w.registrar.register(nmr.Role.PROVIDER, instance(1), LocalModule())
        await w.registrar.register(nmr.Role.CLIENT, instance(2), client)
        await w.registrar.register(nmr.Role.CLIENT, instance(3), LocalModule())
        assert [side.status for side in client.sides] == [NtStatus.NOINTERFACE]
        assert w.registrar.bindings() == []
