"""Firing from outside: the hook's provider answers, or somebody says why not."""

import asyncio
import random
from collections import defaultdict
from uuid import UUID

from ebpfd import nmr
from ebpfd.errors import RequestError
from ebpfd.host.modules import BatchOutcome, DeclinedError, FireCall, LocalModule
from ebpfd.host.turns import Turns
from ebpfd.objects.chains import Batch
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


async def test_with_wait_the_provider_may_come_later() -> None:
    """It is fired when it is there, with what is left of the deadline."""
    async with world() as w:
        firing = asyncio.ensure_future(w.hooks.fire(CALL, 1000.0, wait=True))
        await asyncio.sleep(0)
        assert not firing.done()
        await w.provide(FakeExtension())
        assert (await soon(firing)).codes == b"\0"
        assert (await soon(w.hooks.fire(CALL, 1.0, wait=True))).codes == b"\0"


async def test_with_wait_nobody_in_time_is_object_not_found() -> None:
    """The deadline is what it waits for, and no longer."""
    async with world() as w:
        message = await refused(w.hooks.fire(CALL, 0.01, wait=True), Result.OBJECT_NOT_FOUND)
        assert message == "the hook's extension is not connected, and did not come in 0.01 s"


async def test_what_a_leaving_extension_has_not_begun_is_anothers() -> None:
    """The newer one gets it; without a wait the answer is CANCELED."""
    async with world() as w:
        old, new = FakeExtension("old"), FakeExtension("new")

        async def declines(call: FireCall) -> BatchOutcome:
            del call
            raise DeclinedError("old is stopping")

        old.fired = declines
        await w.provide(old)
        assert await refused(w.hooks.fire(CALL, 1.0), Result.CANCELED) == "old is stopping"
        await w.provide_hook(new)
        assert (await soon(w.hooks.fire(CALL, 1000.0, wait=True))).codes == b"\0"


async def test_what_an_extension_has_begun_is_never_anothers() -> None:
    """It is lost in the middle: whether the event ran nobody knows, so nobody runs it again."""
    async with world() as w:
        old, new = FakeExtension("old"), FakeExtension("new")
        old.fired = never
        await w.provide(old)
        firing = asyncio.ensure_future(w.hooks.fire(CALL, 1000.0, wait=True))
        await asyncio.sleep(0)
        await w.provide_hook(new)
        w.lose(old)
        assert "went away" in await refused(soon(firing), Result.OBJECT_NOT_FOUND)


async def test_an_event_waits_for_links_that_move() -> None:
    """The older one deregisters and takes its time: until the link is with the newer, it waits."""
    async with world() as w:
        old, new = FakeExtension("old"), FakeExtension("new")
        handle = await w.provide_hook(old)
        await w.provide(new, hook=False)
        program = await w.load("count.o")
        link = await w.links.attach(program.id, ATTACH_TYPE, b"")
        assert link.provider == "old"
        await w.provide_hook(new)
        gate = old.hold("detach")
        leaving = asyncio.ensure_future(w.registrar.withdraw(handle))
        await asyncio.sleep(0)
        firing = asyncio.ensure_future(w.hooks.fire(CALL, 1000.0, wait=True))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not firing.done()
        gate.set()
        await soon(leaving)
        assert (await soon(firing)).codes == b"\0"
        assert link.provider == "new"


async def test_an_event_waits_for_programs_that_move() -> None:
    """The links are with the newer one, the programs still lose the type that the older gave."""
    async with world() as w:
        old, new = FakeExtension("old"), FakeExtension("new")
        kind, hook = await w.provide(old)
        program = await w.load("count.o")
        link = await w.links.attach(program.id, ATTACH_TYPE, b"")
        await w.provide(new)
        await w.registrar.withdraw(hook)
        firing = asyncio.ensure_future(w.hooks.fire(CALL, 1000.0, wait=True))
        for _ in range(10):
            await asyncio.sleep(0)
        assert (link.provider, firing.done()) == ("new", False)
        await w.registrar.withdraw(kind)
        assert (await soon(firing)).codes == b"\0"


async def test_events_that_share_turns_wait_for_no_answer_and_for_no_deadline_but_their_own() -> (
    None
):
    """One that is handed over and hangs keeps none behind it; nor does one that waits longer."""
    async with world() as w:
        turns = Turns()
        waiting = asyncio.ensure_future(w.hooks.fire(CALL, 1000.0, wait=True, turns=turns))
        await asyncio.sleep(0)
        late = soon(w.hooks.fire(CALL, 0.01, wait=True, turns=turns))
        assert "did not come in 0.01 s" in await refused(late, Result.OBJECT_NOT_FOUND)
        at_once = w.hooks.fire(CALL, 1000.0, turns=turns)
        assert "is not connected" in await refused(soon(at_once), Result.OBJECT_NOT_FOUND)
        extension = FakeExtension("slow")
        extension.fired = never
        await w.provide(extension)
        late = soon(w.hooks.fire(CALL, 0.01, wait=True, turns=turns))
        assert "slow did not answer in 0.01 s" in await refused(late, Result.TIMEOUT)
        assert not waiting.done()
        waiting.cancel()


async def test_what_is_not_handed_over_in_time_is_timeout() -> None:
    """The one before it does not get through to the extension, and so it never does itself."""
    async with world() as w:
        extension, turns = FakeExtension("stuck"), Turns()
        extension.fired = never
        await w.provide(extension)
        before = turns.take()
        for wait in (True, False):
            late = soon(w.hooks.fire(CALL, 0.01, wait=wait, turns=turns))
            message = await refused(late, Result.TIMEOUT)
            assert message == "the hook's extension stuck did not answer in 0.01 s"
        before.leave()


async def test_events_that_share_turns_are_handed_over_in_their_order() -> None:
    """Wherever each of them waits, and whoever gives up: none overtakes another one."""
    rng = random.Random(20)
    async with world() as w:
        for _ in range(50):
            handed: defaultdict[bytes, list[int]] = defaultdict(list)
            extension, turns = FakeExtension(), defaultdict[bytes, Turns](Turns)

            async def note(
                call: FireCall, handed: defaultdict[bytes, list[int]] = handed
            ) -> BatchOutcome:
                assert call.parameter is not None
                handed[call.parameter].append(call.batch.count)
                await asyncio.sleep(0)
                return BatchOutcome()

            extension.fired = note
            there = False
            events: list[asyncio.Future[BatchOutcome]] = []
            for number in range(30):
                if number == 15 or (not there and rng.random() < 0.1):
                    there = there or bool(await w.provide_hook(extension))
                parameter = rng.choice((b"a", b"b"))
                call = FireCall(ATTACH_TYPE, parameter, Batch(count=number))
                event = w.hooks.fire(call, 1000.0, wait=rng.random() < 0.7, turns=turns[parameter])
                events.append(asyncio.ensure_future(event))
                if rng.random() < 0.1:
                    rng.choice(events).cancel()
                for _ in range(rng.choice((0, 0, 1, 3))):
                    await asyncio.sleep(0)
            ends = await soon(asyncio.gather(*events, return_exceptions=True))
            answered = {number for number, end in enumerate(ends) if isinstance(end, BatchOutcome)}
            assert all(
                isinstance(end, (BatchOutcome, RequestError, asyncio.CancelledError))
                for end in ends
            )
            assert answered <= {*handed[b"a"], *handed[b"b"]}
            assert all(order == sorted(order) for order in handed.values())
            w.lose(extension)
            assert not any(each._taken for each in turns.values())  # pyright: ignore[reportPrivateUsage]
