"""Modules that are slow, broken, silent, unsure or suddenly gone: nothing of them stays."""

import asyncio
import random
from contextlib import suppress
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ebpfd import nmr
from ebpfd.host.callbacks import Deadlines
from ebpfd.host.modules import AttachAnswer, DispatchTable
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd_api.ntstatus import NtStatus
from tests.virtual_time import virtually

DEADLINES = Deadlines(callback_s=10.0, drain_s=100.0)
ORDER = ("attach", "detach", "cleanup")
MODULES, CALLS = 5, 12


class Restless:
    """A module that does as chance will have it, and sees whether others keep the order."""

    def __init__(self, name: str, chance: random.Random, registrar: RegistrarHost) -> None:
        self.name = name
        self.gone = False
        self._chance = chance
        self._registrar = registrar
        self._begun: dict[tuple[nmr.BindingHandle, nmr.Role], list[str]] = {}
        self._running: set[tuple[nmr.BindingHandle, nmr.Role]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def client_attach_provider(self, call: nmr.ClientAttachProvider) -> int:
        """Take the provider or not, with or without its consent, and wait for that or not."""
        await self._called("attach", call.binding, nmr.Role.CLIENT)
        if self._chance.random() < 0.2:
            return self._chance.choice([NtStatus.SUCCESS, NtStatus.NOINTERFACE])
        nested = self._registrar.attach_provider(call.binding, b"mine", None, by=self)
        patience = self._chance.choice([1.0, 1000.0])
        try:
            async with asyncio.timeout(patience):
                side = await nested
        except TimeoutError:
            return NtStatus.SUCCESS
        except nmr.LateCallError:
            assert self.gone
            return NtStatus.SUCCESS
        await self._take_time()
        return self._chance.choice([side.status, side.status, NtStatus.NOINTERFACE])

    async def provider_attach_client(self, call: nmr.ProviderAttachClient) -> AttachAnswer:
        """Agree or not."""
        await self._called("attach", call.binding, nmr.Role.PROVIDER)
        status = self._chance.choice([NtStatus.SUCCESS, NtStatus.SUCCESS, NtStatus.ACCESS_DENIED])
        return AttachAnswer(status, b"mine", DispatchTable(1, ()), message="as chance has it")

    async def detach(self, binding: nmr.BindingHandle, role: nmr.Role) -> int:
        """Be through, or later, or before having said so, or twice, or never."""
        await self._called("detach", binding, role)
        for delay in self._chance.choice([(), (0.0,), (5.0,), (3.0, 4.0), (1000.0,)]):
            task = asyncio.ensure_future(self._complete(binding, role, delay))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await self._take_time()
        return self._chance.choice([NtStatus.SUCCESS, NtStatus.PENDING, NtStatus.NOINTERFACE])

    async def cleanup(self, binding: nmr.BindingHandle, role: nmr.Role) -> None:
        """Take note."""
        await self._called("cleanup", binding, role)

    async def _complete(self, binding: nmr.BindingHandle, role: nmr.Role, delay: float) -> None:
        await asyncio.sleep(delay)
        with suppress(nmr.LateCallError, nmr.OutOfTurnError):
            self._registrar.detach_complete(binding, role, by=self)

    async def _called(self, what: str, binding: nmr.BindingHandle, role: nmr.Role) -> None:
        assert not self.gone
        side = binding, role
        before = self._begun.setdefault(side, [])
        assert side not in self._running
        assert not before or ORDER.index(before[-1]) < ORDER.index(what)
        before.append(what)
        self._running.add(side)
        try:
            await self._take_time()
        finally:
            self._running.discard(side)

    async def _take_time(self) -> None:
        kind = self._chance.random()
        if kind < 0.1:
            await asyncio.Event().wait()
        elif kind < 0.2:
            raise RuntimeError(self.name)
        elif kind < 0.6:
            await asyncio.sleep(self._chance.choice([0.0, 1.0, 9.0, 11.0]))


async def _use(registrar: RegistrarHost, module: Restless, chance: random.Random) -> None:
    """Register and deregister now and then; perhaps vanish at last."""
    handles: list[nmr.RegistrationHandle] = []
    try:
        for _ in range(CALLS):
            await asyncio.sleep(chance.choice([0.0, 0.0, 1.0, 20.0]))
            if handles and chance.random() < 0.4:
                handle = handles.pop(chance.randrange(len(handles)))
                await _deregister(registrar, module, handle, chance)
            else:
                handles.append(await _register(registrar, module, chance))
        if chance.random() < 0.3:
            module.gone = True
            registrar.lost(module)
        for handle in handles:
            await _deregister(registrar, module, handle, chance)
    except TimeoutError:
        # It hung up in a call; nobody knows any more what it has.
        module.gone = True
        registrar.lost(module)


async def _register(
    registrar: RegistrarHost, module: Restless, chance: random.Random
) -> nmr.RegistrationHandle:
    instance = nmr.RegistrationInstance(
        UUID(int=chance.randrange(2)), nmr.ModuleId.guid(UUID(int=1))
    )
    cleanup = chance.random() < 0.8
    async with asyncio.timeout(chance.choice([0.5, None, None, None])):
        role = chance.choice(list(nmr.Role))
        return await registrar.register(role, instance, module, has_cleanup=cleanup)


async def _deregister(
    registrar: RegistrarHost,
    module: Restless,
    handle: nmr.RegistrationHandle,
    chance: random.Random,
) -> None:
    try:
        status = await registrar.deregister(handle, by=module)
    except nmr.LateCallError:
        assert module.gone
        return
    assert status in (NtStatus.SUCCESS, NtStatus.PENDING)
    if chance.random() < 0.5:
        assert await registrar.wait(handle, by=module) == NtStatus.SUCCESS


async def _scene(seed: int) -> list[object]:
    """All that a registrar still holds when everybody has left."""
    chance = random.Random(seed)
    async with Services() as services:
        registrar = RegistrarHost(services, DEADLINES)
        modules = [
            Restless(f"module {number}", random.Random(chance.random()), registrar)
            for number in range(MODULES)
        ]
        async with asyncio.TaskGroup() as group:
            for module in modules:
                group.create_task(_use(registrar, module, chance))
        # As long as anything that was asked may still be overdue.
        await asyncio.sleep(10 * DEADLINES.drain_s)
        assert registrar.bindings() == []
        assert (registrar.clients(), registrar.providers()) == ([], [])
        return _held(registrar)


def _held(part: object) -> list[object]:
    """Every non-empty collection within, but for the services and what watches."""
    held: list[object] = []
    for name, value in vars(part).items():
        if isinstance(value, dict | list | set):
            held += [(name, value)] if value else []
        elif hasattr(value, "__dict__") and name not in ("_services", "_watches"):
            held += _held(value)
    return held


@settings(max_examples=60, deadline=None, database=None)
@given(st.integers(0, 1 << 32))
@example(1)
@example(892)
def test_nothing_of_restless_modules_stays_behind(seed: int) -> None:
    """However they behave: every question is answered, and in the end nothing is held."""
    with capture_logs():
        assert virtually(_scene(seed)) == []
