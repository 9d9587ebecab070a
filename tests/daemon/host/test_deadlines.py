"""What has a deadline is not waited for any longer, neither in a queue nor in a helper."""

import asyncio
from collections.abc import Awaitable

import pytest

from ebpfd import nmr
from ebpfd.host.invocation import RefusalError, Target
from ebpfd.host.modules import HelperCall, HelperOutcome
from ebpfd.objects import Link
from ebpfd.objects.breaker import BreakerRule, BreakerState
from ebpfd.objects.chains import Batch, Outcome
from ebpfd_api.failure import Failure
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.test_chains import attach, chains, provided
from tests.daemon.host.test_invocation import contexts
from tests.daemon.host.world import World, soon, world

BLOCKED = 7
"""The result of an event that has no time left."""


class Slow(FakeExtension):
    """Its helper answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.helper = self.served

    async def served(self, call: HelperCall) -> HelperOutcome:
        """Nothing but late."""
        del call
        await self.go.wait()
        return HelperOutcome(0)


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


async def guarded(w: World, extension: FakeExtension) -> tuple[Link, Target]:
    """A link whose program calls the helper, and whose breaker would break at once."""
    await w.provide(extension)
    program = await w.load("helper_implicit_2.o")
    policy, rule = {Failure.TIMEOUT: BLOCKED}, BreakerRule(1, 60.0)
    link = await w.links.attach(program.id, ATTACH_TYPE, b"", policy=policy, breaker=rule)
    return link, w.targets.find(nmr.BindingHandle(link.binding), extension)


async def refusal(running: Awaitable[Outcome]) -> tuple[Result, int]:
    """With which code it is refused, and what the hook does then."""
    with pytest.raises(RefusalError) as caught:
        await soon(running)
    return caught.value.code, caught.value.result


async def test_what_waits_until_its_deadline_does_not_run() -> None:
    """It is answered while the one before it still runs, counted, and has the policy's result."""
    async with world() as w:
        extension = Slow()
        link, target = await guarded(w, extension)
        target.enqueue()
        first = asyncio.ensure_future(target.run_queued(Batch()))
        await soon(extension.reached.get())
        target.enqueue(2)
        waiting = target.run_queued(Batch(count=2), deadline=now() + 0.01)
        assert await refusal(waiting) == (Result.TIMEOUT, BLOCKED)
        assert not first.done()
        extension.go.set()
        assert (await soon(first)).codes == b"\0"
        assert link.outcomes.failures == {Failure.TIMEOUT: 2}
        assert (link.tally.counters().runs, target.queued) == (1, 0)


async def test_what_waits_for_a_thread_until_its_deadline_does_not_run() -> None:
    """Its turn has come, and its time is over."""
    async with world() as w:
        extension = Slow()
        link, target = await guarded(w, extension)
        target.enqueue()
        late = target.run_queued(Batch(), deadline=now())
        assert await refusal(late) == (Result.TIMEOUT, BLOCKED)
        assert (link.tally.counters().runs, extension.journal.count("helper 0x10004")) == (0, 0)


async def test_a_helper_is_waited_for_until_the_deadline() -> None:
    """Not for as long as its author wants; and no later event of the batch asks it any more."""
    async with world() as w:
        extension = Slow()
        link, target = await guarded(w, extension)
        target.enqueue(3)
        outcome = await soon(target.run_queued(Batch(count=3), deadline=now() + 0.5))
        assert outcome.codes == bytes([Result.TIMEOUT] * 3)
        assert outcome.results == BLOCKED.to_bytes(4, "little") * 3
        assert extension.journal.count("helper 0x10004") == 1
        assert link.breaker is not None
        assert link.breaker.state is BreakerState.WHOLE, "a caller in a hurry says nothing of it"


async def test_a_chain_has_one_deadline() -> None:
    """None of its links runs after it, and all places are given back."""
    async with world() as w:
        extension = await provided(w)
        first, second = [await attach(w, "add_one") for _ in range(2)]
        target = chains(w).of_event(ATTACH_TYPE, b"", extension)
        target.enqueue(2)
        batch = Batch(count=2, contexts=contexts(1, 2))
        code, _ = await refusal(target.run_queued(batch, deadline=now()))
        assert code is Result.TIMEOUT
        assert (first.others[Failure.TIMEOUT], second.others[Failure.TIMEOUT]) == (2, 0)
        assert first.in_flight == second.in_flight == 0
