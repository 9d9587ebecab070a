"""Firing from outside: the hook's provider answers, or somebody says why not."""

import asyncio
from uuid import UUID

from ebpfd import nmr
from ebpfd.host.modules import BatchOutcome, FireCall, LocalModule
from ebpfd_api.npi import HOOK
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import ATTACH_TYPE, HOOK_DATA
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import refused, soon, world

CALL = FireCall(ATTACH_TYPE, None)


async def never(call: FireCall) -> BatchOutcome:
    """An extension that does not answer."""
    await asyncio.Event().wait()
    raise AssertionError(call)


async def test_the_provider_of_the_hook_is_fired() -> None:
    """Its answer is the caller's."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        assert await w.hooks.fire(CALL, 1.0) == BatchOutcome(codes=b"\0", results=bytes(4))


async def test_a_hook_without_provider_is_object_not_found() -> None:
    """Also if it is leaving, or if a module of the daemon's that cannot be fired provides it."""
    async with world() as w:
        await refused(w.hooks.fire(CALL, 1.0), Result.OBJECT_NOT_FOUND)
        extension = FakeExtension()
        handle = await w.provide_hook(extension)
        other = FireCall(UUID(int=3), None)
        await refused(w.hooks.fire(other, 1.0), Result.OBJECT_NOT_FOUND)
        await w.registrar.withdraw(handle)
        await refused(w.hooks.fire(CALL, 1.0), Result.OBJECT_NOT_FOUND)
        instance = nmr.RegistrationInstance(
            HOOK, nmr.ModuleId.guid(ATTACH_TYPE), characteristics=HOOK_DATA
        )
        await w.registrar.register(nmr.Role.PROVIDER, instance, LocalModule())
        await refused(w.hooks.fire(CALL, 1.0), Result.OBJECT_NOT_FOUND)


async def test_a_late_answer_is_timeout() -> None:
    """The deadline is the caller's."""
    async with world() as w:
        extension = FakeExtension("slow")
        extension.fired = never
        await w.provide(extension)
        message = await refused(w.hooks.fire(CALL, 0.01), Result.TIMEOUT)
        assert message == "the hook's extension slow did not answer in 0.01 s"


async def test_an_extension_lost_meanwhile_is_object_not_found() -> None:
    """At once, not at the deadline."""
    async with world() as w:
        extension = FakeExtension()
        extension.fired = never
        await w.provide(extension)
        firing = asyncio.ensure_future(w.hooks.fire(CALL, 1000.0))
        await asyncio.sleep(0)
        w.lose(extension)
        assert "went away" in await refused(soon(firing), Result.OBJECT_NOT_FOUND)
