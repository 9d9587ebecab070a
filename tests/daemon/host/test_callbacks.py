"""Deadlines of callbacks, in virtual time: a silent module holds nobody up for ever."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from ebpfd import nmr
from ebpfd.host.callbacks import Callback, Deadlines, Wait
from ebpfd.host.modules import AttachAnswer, LocalModule
from ebpfd.host.registrar import ProviderSide, RegistrarHost
from ebpfd.host.services import Services
from ebpfd_api.ntstatus import NtStatus
from tests.daemon.host.fakes import FakeExtension
from tests.virtual_time import virtual, virtually

NPI = UUID(int=99)
CLIENT, PROVIDER = nmr.Role.CLIENT, nmr.Role.PROVIDER
DEADLINES = Deadlines(callback_s=10.0, drain_s=100.0)


class FakeClient(FakeExtension):
    """A client in another process: takes every provider, and then does what a test wants."""

    def __init__(self, registrar: RegistrarHost) -> None:
        super().__init__("client")
        self.registrar = registrar
        self.sides: list[ProviderSide] = []
        self.before: Callable[[], Awaitable[object]] = _nothing
        self.after: Callable[[], Awaitable[object]] = _nothing

    async def client_attach_provider(self, call: nmr.ClientAttachProvider) -> int:
        """Take it."""
        self.journal.append(f"attach {call.binding}")
        await self.before()
        side = await self.registrar.attach_provider(call.binding, b"mine", None)
        self.sides.append(side)
        await self.after()
        self.attached.append(call.binding)
        return side.status


async def _nothing() -> None:
    """Take no time."""


async def for_ever() -> None:
    """Never return."""
    await asyncio.Event().wait()


@dataclass
class Pair:
    """A registrar with a provider and a client of one contract."""

    registrar: RegistrarHost
    provider: FakeExtension = field(default_factory=lambda: FakeExtension("provider"))
    client: FakeClient = field(init=False)
    handles: list[nmr.RegistrationHandle] = field(default_factory=list[nmr.RegistrationHandle])

    def __post_init__(self) -> None:
        self.client = FakeClient(self.registrar)

    async def register(self) -> None:
        """First the provider, then the client."""
        for role, module in ((PROVIDER, self.provider), (CLIENT, self.client)):
            instance = nmr.RegistrationInstance(NPI, nmr.ModuleId.guid(UUID(int=len(self.handles))))
            self.handles.append(await self.registrar.register(role, instance, module))

    async def leave(self) -> float:
        """Deregister the provider and wait for the end; the seconds that took."""
        begun = now()
        await self.registrar.deregister(self.handles[0])
        await self.registrar.wait_deregistered(self.handles[0])
        return now() - begun


@asynccontextmanager
async def pair() -> AsyncGenerator[Pair]:
    """Nobody is registered yet."""
    async with Services() as services:
        yield Pair(RegistrarHost(services, DEADLINES))


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


@virtual
async def test_a_provider_that_does_not_answer_refuses() -> None:
    """The client is told why, and the registration is answered."""
    async with pair() as p:
        p.provider.hold("attach")
        with capture_logs() as logs:
            await p.register()
        assert now() == 10.0
        why = "provider did not return from its attach callback in 10 s: taken as refused"
        assert p.client.sides == [ProviderSide(NtStatus.IO_TIMEOUT, message=why)]
        assert p.registrar.bindings() == []
        (entry,) = [each for each in logs if each["event"] == "a module is overdue"]
        assert (entry["module"], entry["role"]) == ("provider", "provider")
        assert (entry["callback"], entry["taken_as"]) == ("attach", "refused")


@virtual
async def test_a_client_that_does_not_answer_refuses() -> None:
    """Before its nested call: nothing is left, and the next registration goes on."""
    async with pair() as p:
        p.client.before = for_ever
        await p.register()
        assert now() == 10.0
        assert p.registrar.bindings() == []
        assert p.provider.journal == []


@virtual
async def test_a_client_that_does_not_answer_after_its_nested_call_refuses() -> None:
    """Both sides recorded a context, so both are cleaned up, without detach."""
    async with pair() as p:
        p.client.after = for_ever
        p.client.attached = [nmr.BindingHandle(1)]
        await p.register()
        assert now() == 10.0
        assert p.registrar.bindings() == []
        assert p.provider.journal == ["attach 1", "cleanup 1"]
        assert p.client.journal == ["attach 1", "cleanup 1"]


@virtual
async def test_a_client_is_not_blamed_for_a_slow_provider() -> None:
    """While its nested call runs, a client's clock stands; afterwards it has its time again."""
    async with pair() as p:

        async def nine() -> None:
            await asyncio.sleep(9)

        p.client.before = p.client.after = nine
        gate = p.provider.hold("attach")
        asyncio.get_running_loop().call_later(18, gate.set)
        await p.register()
        assert now() == 27.0
        (binding,) = p.registrar.bindings()
        assert binding.stage is nmr.Stage.READY
        assert p.registrar.overdue(binding.handle) == ()


@pytest.mark.parametrize("silent", ["client", "provider", "both"])
@virtual
async def test_a_detach_that_does_not_return_is_taken_as_complete(silent: str) -> None:
    """Each side has its own deadline, the client's first; cleanup follows."""
    async with pair() as p:
        await p.register()
        if silent != "provider":
            p.client.hold("detach")
        if silent != "client":
            p.provider.hold("detach")
        assert await p.leave() == (20.0 if silent == "both" else 10.0)
        for module in (p.client, p.provider):
            assert module.journal == ["attach 1", "detach 1", "cleanup 1"]
        assert p.registrar.bindings() == []


@virtual
async def test_a_cleanup_that_does_not_return_is_taken_as_done() -> None:
    """The registration ends all the same."""
    async with pair() as p:
        await p.register()
        p.client.hold("cleanup")
        p.provider.hold("cleanup")
        assert await p.leave() == 20.0
        assert p.registrar.bindings() == []


@virtual
async def test_a_pending_detach_that_never_completes_is_taken_as_complete() -> None:
    """Its deadline is one of its own, and a completion that comes later is late."""
    async with pair() as p:
        await p.register()
        p.client.detach_status = NtStatus.PENDING
        assert await p.leave() == 100.0
        with pytest.raises(nmr.LateCallError):
            p.registrar.detach_complete(nmr.BindingHandle(1), CLIENT, by=p.client)


@virtual
async def test_a_pending_detach_that_completes_in_time_is_left_alone() -> None:
    """Its clock is stopped: nothing is noted later."""
    async with pair() as p:
        await p.register()
        p.provider.detach_status = NtStatus.PENDING
        complete = p.registrar.detach_complete
        handle = nmr.BindingHandle(1)
        loop = asyncio.get_running_loop()
        loop.call_later(99, lambda: complete(handle, PROVIDER, by=p.provider))
        with capture_logs() as logs:
            assert await p.leave() == 99.0
            await asyncio.sleep(1000)
        assert [each for each in logs if each["log_level"] == "warning"] == []


@virtual
async def test_a_lost_module_is_never_overdue() -> None:
    """Neither the callback that runs when its process vanishes, nor what it had pending."""
    async with pair() as p:
        await p.register()
        p.client.detach_status = NtStatus.PENDING
        gate = p.provider.hold("detach")
        leaving = asyncio.ensure_future(p.leave())
        await asyncio.sleep(5)
        assert p.registrar.waits(nmr.BindingHandle(1)) == [
            Wait(Callback.DRAIN, CLIENT, "client", 5.0),
            Wait(Callback.DETACH, PROVIDER, "provider", 5.0),
        ]
        with capture_logs() as logs:
            p.registrar.lost(p.client)
            gate.set()
            assert await leaving == 5.0
            await asyncio.sleep(1000)
        assert [each for each in logs if each["log_level"] == "warning"] == []


@virtual
async def test_a_binding_says_who_is_waited_for_and_who_was_not() -> None:
    """As long as it lasts."""
    async with pair() as p:
        await p.register()
        p.client.hold("detach")
        p.provider.detach_status = NtStatus.PENDING
        leaving = asyncio.ensure_future(p.leave())
        handle = nmr.BindingHandle(1)
        await asyncio.sleep(4)
        assert p.registrar.waits(handle) == [Wait(Callback.DETACH, CLIENT, "client", 4.0)]
        assert p.registrar.overdue(handle) == ()
        await asyncio.sleep(10)
        assert p.registrar.waits(handle) == [Wait(Callback.DRAIN, PROVIDER, "provider", 4.0)]
        late = "client did not return from its detach callback in 10 s: taken as complete"
        assert p.registrar.overdue(handle) == (late,)
        await leaving
        assert p.registrar.waits(handle) == []
        assert p.registrar.overdue(handle) == ()


def test_the_daemons_own_modules_have_no_deadline() -> None:
    """What they wait for has one of its own: an invocation must not be cut off."""

    class Slow(LocalModule):
        async def provider_attach_client(self, call: nmr.ProviderAttachClient) -> AttachAnswer:
            return AttachAnswer(NtStatus.SUCCESS, b"slow")

        async def detach(self, binding: nmr.BindingHandle, role: nmr.Role) -> int:
            await asyncio.sleep(1000)
            return NtStatus.SUCCESS

    async def work() -> None:
        async with pair() as p:
            p.provider = Slow()  # type: ignore[assignment]
            await p.register()
            assert await p.leave() == 1000.0

    virtually(work())


@virtual
async def test_callbacks_of_different_bindings_run_side_by_side() -> None:
    """A client that is slow in one binding holds up only that one."""
    async with pair() as p:
        gate = p.provider.hold("detach")
        await p.register()
        others = [FakeClient(p.registrar) for _ in range(3)]
        for number, other in enumerate(others, start=10):
            instance = nmr.RegistrationInstance(NPI, nmr.ModuleId.guid(UUID(int=number)))
            await p.registrar.register(CLIENT, instance, other)
        leaving = asyncio.ensure_future(p.leave())
        for _ in range(4):
            assert await p.provider.reached.get() == "detach"
        assert now() == 0.0
        assert len(p.registrar.bindings()) == 4
        gate.set()
        assert await leaving == 0.0


@virtual
async def test_callbacks_of_one_binding_run_one_after_the_other() -> None:
    """The next begins when the last has returned, also when everybody leaves at once."""
    async with pair() as p:
        await p.register()
        gates = {
            (module, name): module.hold(name)
            for name in ("detach", "cleanup")
            for module in (p.client, p.provider)
        }
        both = [asyncio.ensure_future(p.registrar.deregister(each)) for each in p.handles]
        for (module, name), gate in gates.items():
            assert await module.reached.get() == name
            assert p.client.reached.empty()
            assert p.provider.reached.empty()
            gate.set()
        # The second found it unbinding already.
        assert await asyncio.gather(*both) == [NtStatus.SUCCESS, NtStatus.PENDING]
        assert p.registrar.bindings() == []
