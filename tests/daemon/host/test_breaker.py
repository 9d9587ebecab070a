"""A link that fails again and again is left alone: in place, on threads, and in a chain."""

import asyncio
from pathlib import Path

import pytest

from ebpfd import nmr
from ebpfd.host import attempts, invocation
from ebpfd.host.invocation import RefusalError, Target
from ebpfd.host.modules import HelperCall, HelperOutcome
from ebpfd.objects import Link
from ebpfd.objects.breaker import BreakerRule, BreakerState
from ebpfd.objects.chains import Batch
from ebpfd.store import KeptObjects, StateDirectory, StoreError
from ebpfd_api.failure import Failure
from ebpfd_api.result import Result
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.test_chains import attach, fire, provided
from tests.daemon.host.test_invocation import fails, is_late
from tests.daemon.host.world import World, refused, soon, until, world

RULE = BreakerRule(2, 60.0)


class Clock:
    """The time of breakers."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """What it says."""
        return self.now


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (attempts, invocation):
        monkeypatch.setattr(module, "now", clock)
    return clock


class Moody(FakeExtension):
    """Its helper fails while ``bad`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.bad = fails
        self.good = False
        self.calls = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.helper = self.served

    async def served(self, call: HelperCall) -> HelperOutcome:
        """As its mood is."""
        self.calls += 1
        await self.gate.wait()
        return HelperOutcome(5) if self.good else await self.bad(call)


async def scene(w: World) -> tuple[Moody, Link, Target]:
    """A link with a breaker and a result for each failure."""
    extension = Moody()
    await w.provide(extension)
    link = await w.attached("helper_implicit_2.o")
    await w.links.set_policy(link.id, {Failure.ERROR: 8, Failure.TIMEOUT: 9}, RULE)
    return extension, link, w.targets.find(nmr.BindingHandle(link.binding), extension)


async def run(w: World, link: Link, extension: Moody, count: int = 1) -> tuple[int, int]:
    """Code and result of a batch's last event."""
    try:
        done = await soon(w.invoke(link, extension, Batch(count=count)))
    except RefusalError as error:
        return error.code, error.result
    return done.codes[-1], int.from_bytes(done.results[-4:], "little")


async def test_it_is_left_alone_after_so_many_failures_and_then_tried_once(clock: Clock) -> None:
    """With the result of the failure that came last; each batch is counted."""
    async with world() as w:
        extension, link, _ = await scene(w)
        blocked = Result.BLOCKED_BY_POLICY
        assert await run(w, link, extension) == (Result.FAILED, 8)
        extension.bad = is_late
        assert await run(w, link, extension) == (Result.TIMEOUT, 9)
        assert await run(w, link, extension, count=3) == (blocked, 9)
        assert extension.calls == 2
        clock.now += RULE.retry_s
        extension.bad = fails
        assert await run(w, link, extension) == (Result.FAILED, 8)
        assert await run(w, link, extension) == (blocked, 8)
        clock.now += RULE.retry_s
        extension.good = True
        assert await run(w, link, extension) == (0, 5)
        assert await run(w, link, extension) == (0, 5)
        outcomes = link.outcomes
        assert (outcomes.success, outcomes.broken) == (2, 4)
        assert outcomes.failures == {Failure.ERROR: 2, Failure.TIMEOUT: 1}


async def test_one_trial_at_a_time(clock: Clock) -> None:
    """What comes meanwhile is refused without a place in the queue."""
    async with world() as w:
        extension, link, target = await scene(w)
        assert await run(w, link, extension, count=2) == (Result.FAILED, 8)
        clock.now += RULE.retry_s
        extension.good = True
        extension.gate.clear()
        trial = asyncio.ensure_future(w.invoke(link, extension, Batch()))
        await until(lambda: extension.calls == 3)
        assert link.breaker is not None
        assert link.breaker.state is BreakerState.TRIAL
        for _ in range(2):
            with pytest.raises(RefusalError) as caught:
                target.run_now(Batch())
            assert caught.value.code is Result.BLOCKED_BY_POLICY
        assert target.queued == 1
        extension.gate.set()
        assert (await soon(trial)).codes == b"\0"
        assert await run(w, link, extension) == (0, 5)


async def test_what_waited_when_it_broke_does_not_run(clock: Clock) -> None:
    """It had its place; when its turn comes, the link is left alone."""
    async with world() as w:
        extension, link, _ = await scene(w)
        extension.gate.clear()
        first = w.invoke(link, extension, Batch(count=2))
        second = w.invoke(link, extension, Batch())
        await until(lambda: extension.calls == 1)
        extension.gate.set()
        assert (await soon(first)).codes == bytes([Result.FAILED] * 2)
        with pytest.raises(RefusalError) as caught:
            await soon(second)
        assert caught.value.code is Result.BLOCKED_BY_POLICY
        assert extension.calls == 2


async def test_a_trial_that_nobody_waits_for_is_another_ones(clock: Clock) -> None:
    """Its caller was cancelled: what came of it is not known."""
    async with world() as w:
        extension, link, _ = await scene(w)
        await run(w, link, extension, count=2)
        clock.now += RULE.retry_s
        extension.good = True
        extension.gate.clear()
        trial = w.invoke(link, extension, Batch())
        await until(lambda: extension.calls == 3)
        trial.cancel()
        await asyncio.wait({trial})
        extension.gate.set()
        assert await run(w, link, extension) == (0, 5)


async def test_a_refusal_is_no_failure(clock: Clock) -> None:
    """Of what has not run nothing is learnt: a malformed batch, a provider that is away."""
    async with world() as w:
        extension, link, _ = await scene(w)
        extension.good = True
        for _ in range(3):
            code, _ = await run(w, link, extension, count=2**32 - 1)
            assert code == Result.INVALID_ARGUMENT
        assert await run(w, link, extension) == (0, 5)


async def test_another_program_begins_anew(clock: Clock) -> None:
    """It has not failed yet; so does a breaker that is set again, and none refuses nothing."""
    async with world() as w:
        extension, link, _ = await scene(w)
        await run(w, link, extension, count=2)
        assert (await run(w, link, extension))[0] == Result.BLOCKED_BY_POLICY
        new = await w.load("helper_implicit_2.o")
        await w.links.replace(link.id, new.id)
        assert await run(w, link, extension, count=2) == (Result.FAILED, 8)
        assert (await run(w, link, extension))[0] == Result.BLOCKED_BY_POLICY
        await w.links.set_policy(link.id, {Failure.ERROR: 7})
        assert await run(w, link, extension) == (Result.BLOCKED_BY_POLICY, 7)
        await w.links.set_policy(link.id, {}, RULE)
        assert await run(w, link, extension) == (Result.FAILED, 7)
        await w.links.set_policy(link.id, {}, BreakerRule(0, 1.0))
        assert link.breaker is None
        assert await run(w, link, extension, count=9) == (Result.FAILED, 7)


async def test_in_a_chain_each_link_has_its_own(clock: Clock) -> None:
    """A first one that is left alone ends the message, a later one the events that reach it."""
    async with world() as w:
        extension = await provided(w)
        links = [await attach(w, "add_one") for _ in range(2)]
        for link in links:
            await w.links.set_policy(link.id, {Failure.ERROR: 6}, RULE)
        first, second = (link.breaker for link in links)
        assert first is not None
        assert second is not None
        broken = bytes([Result.FAILED] * RULE.failures)
        second.ended(second.admit(clock.now), broken, clock.now)
        done = await fire(w, extension, Batch(count=2))
        assert done.codes == bytes([Result.BLOCKED_BY_POLICY] * 2)
        assert done.results == (6).to_bytes(4, "little") * 2
        first.ended(first.admit(clock.now), broken, clock.now)
        with pytest.raises(RefusalError) as caught:
            await fire(w, extension, Batch(count=2))
        assert (caught.value.code, caught.value.result) == (Result.BLOCKED_BY_POLICY, 6)
        assert [link.outcomes.broken for link in links] == [2, 2]


async def test_the_rule_is_kept_and_what_it_has_seen_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart it is whole; what cannot be kept does not change."""

    async def full(*_: object) -> None:
        raise StoreError("the disk is full")

    state = StateDirectory(tmp_path)
    async with world(state=state) as w:
        extension, link, _ = await scene(w)
        await run(w, link, extension, count=2)
        before = link.breaker
        with monkeypatch.context() as patched:
            patched.setattr(KeptObjects, "change", full)
            changing = w.links.set_policy(link.id, {}, BreakerRule(9, 9.0))
            await refused(changing, Result.OUT_OF_SPACE)
        assert link.breaker is before
    async with world(state=state) as w:
        again = w.objects.link(link.id).breaker
        assert again is not None
        assert (again.rule, again.state) == (RULE, BreakerState.WHOLE)
        await w.links.set_policy(link.id, {}, BreakerRule(0, 1.0))
    async with world(state=state) as w:
        assert w.objects.link(link.id).breaker is None
