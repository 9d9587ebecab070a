"""A link counts what each of its events came to, whether it ran or not."""

import asyncio

import pytest

from ebpfd import nmr
from ebpfd.errors import RequestError
from ebpfd.host.modules import HelperCall, HelperOutcome
from ebpfd.host.quotas import Quotas
from ebpfd.objects import Link
from ebpfd.objects.chains import Batch
from ebpfd.objects.outcomes import Outcomes
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.test_chains import attach, chains, provided
from tests.daemon.host.test_invocation import contexts, fails, is_late, vanishes
from tests.daemon.host.world import soon, world


def counted(link: Link) -> dict[str, int]:
    """What the link's events came to, as far as any did."""
    outcomes = link.outcomes
    failures = {failure.value: count for failure, count in outcomes.failures.items()}
    return {"success": outcomes.success, **failures}


async def test_each_context_of_a_batch_is_counted_for_itself() -> None:
    """A helper that raised, was late, or has gone; and one that answered."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("helper_implicit_2.o")
        answers = iter([fails, is_late, vanishes, fails])

        async def goes_wrong(call: HelperCall) -> HelperOutcome:
            wrong = next(answers, None)
            return HelperOutcome(0) if wrong is None else await wrong(call)

        extension.helper = goes_wrong
        await soon(w.invoke(link, extension, Batch(count=6)))
        assert counted(link) == {"success": 2, "error": 2, "timeout": 1, "no_provider": 1}


async def test_what_does_not_run_is_counted_too() -> None:
    """Whole batches: malformed, without the type's provider, too many at once; lost answers."""
    async with world() as w:
        extension = FakeExtension()
        go = extension.hold_helper()
        await w.provide(extension)
        link, light = await w.attached("helper_implicit_2.o"), await w.attached("trace.o")
        with pytest.raises(RequestError):
            await w.invoke(light, extension, Batch(count=2**32 - 1, contexts=bytes(64)))
        assert counted(light) == {"success": 0, "error": 1}
        waiting = [w.invoke(link, extension, Batch()) for _ in range(Quotas().link_batches)]
        target = w.targets.find(nmr.BindingHandle(link.binding), extension)
        with pytest.raises(RequestError):
            target.enqueue(7)
        go.set()
        await soon(asyncio.gather(*waiting))
        assert counted(link) == {"success": Quotas().link_batches, "overload": 7}
        target.lose(3)
        assert counted(link) == {"success": Quotas().link_batches, "overload": 7, "lost": 3}


@pytest.mark.parametrize("slow", [False, True])
async def test_a_link_of_a_chain_counts_what_reaches_it(slow: bool) -> None:
    """Its type's provider has gone: on the loop, on a thread, and nobody after it is asked."""
    async with world() as w:
        extension = await provided(w)
        first, second, third = [await attach(w, "add_one") for _ in range(3)]
        gone = second.program.provider.rundown
        gone.close()
        target = chains(w).of_event(ATTACH_TYPE, b"", extension)
        batch = Batch(count=2, contexts=contexts(1, 2))
        if slow:
            target.enqueue(2)
            await soon(target.run_queued(batch))
        else:
            assert target.run_now(batch) is not None
        assert [counted(each) for each in (first, second, third)] == [
            {"success": 2},
            {"success": 0, "no_provider": 2},
            {"success": 0},
        ]
        target.lose(2)
        assert counted(first) == {"success": 2, "lost": 2}
        assert third.outcomes == Outcomes()
