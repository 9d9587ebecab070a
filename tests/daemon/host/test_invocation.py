"""Batches: order per target, overload, hostile columns, helpers that fail in every way."""

import asyncio
import dataclasses
import struct
from collections.abc import Awaitable, Callable

import pytest

from ebpfd import nmr
from ebpfd.errors import RequestError
from ebpfd.host import helpers, invocation
from ebpfd.host.invocation import MAX_BATCH_BYTES
from ebpfd.host.modules import HelperCall, HelperOutcome, MapArgument, ModuleGoneError
from ebpfd.host.quotas import Quotas
from ebpfd.host.test_runs import test_run as run_test
from ebpfd.objects.chains import Batch
from ebpfd_api.prototype import ArgumentType
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import SAMPLE, helper, with_info
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import soon, until, world
from tests.packets import MALFORMED, TCP, UDP

Helper = Callable[[HelperCall], Awaitable[HelperOutcome]]


def u32s(*numbers: int) -> bytes:
    """Numbers as a column."""
    return struct.pack(f"<{len(numbers)}I", *numbers)


def contexts(*values: int) -> bytes:
    """Contexts with these values of ``uint32_data``."""
    return b"".join(bytes(16) + u32s(value) + bytes(12) for value in values)


async def test_a_batch_counts_every_packet() -> None:
    """Columns in, codes and results out, in order."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("count.o")
        packets = [UDP, MALFORMED, TCP, UDP, b""]
        done = await w.invoke(
            link,
            extension,
            Batch(count=5, data=b"".join(packets), data_lengths=u32s(*map(len, packets))),
        )
        assert (done.codes, done.results) == (bytes(5), u32s(0, 1, 0, 0, 1))
        (counted,) = link.program.maps
        assert counted.map.lookup(u32s(17)) == struct.pack("<Q", 2)


HOSTILE = {
    "one byte short": Batch(contexts=bytes(31)),
    "not a multiple": Batch(count=2, contexts=bytes(65)),
    "more contexts than bytes": Batch(count=3, contexts=bytes(64)),
    "huge count, contexts": Batch(count=2**32 - 1, contexts=bytes(64)),
    "huge count, no contexts": Batch(count=2**32 - 1),
    "zeros beyond the limit": Batch(count=MAX_BATCH_BYTES // 32),
    "lengths beyond the data": Batch(count=2, data=b"ab", data_lengths=u32s(1, 2**32 - 1)),
    "lengths short of the data": Batch(count=2, data=b"ab", data_lengths=u32s(1, 0)),
    "no lengths": Batch(count=2, data=b"ab"),
    "lengths of no whole number": Batch(count=2, data=b"ab", data_lengths=b"abc"),
    "too many lengths": Batch(data=b"ab", data_lengths=u32s(1, 1)),
    "more metadata than data": Batch(data=b"ab", meta_lengths=u32s(3)),
    "metadata of no whole number": Batch(data=b"ab", meta_lengths=b"a"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("program", ["trace.o", "helper_implicit_2.o"])
async def test_columns_that_do_not_match_are_refused(case: str, program: str) -> None:
    """INVALID_ARGUMENT on the loop and on a thread, nothing allocated, nothing left in flight."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached(program)
        with pytest.raises(RequestError) as caught:
            await w.invoke(link, extension, HOSTILE[case])
        assert caught.value.code is Result.INVALID_ARGUMENT
        assert caught.value.message
        target = w.targets.find(nmr.BindingHandle(link.binding), extension)
        assert (target.rundown.active, link.program.provider.rundown.active) == (0, 0)
        done = await w.invoke(link, extension, Batch())
        assert done.codes == b"\0"


async def test_only_the_hooks_provider_invokes_a_binding() -> None:
    """Somebody else's binding looks like one that is gone."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("trace.o")
        for binding, owner in ((link.binding, FakeExtension()), (link.binding + 1, extension)):
            with pytest.raises(RequestError, match="the binding is gone") as caught:
                w.targets.find(nmr.BindingHandle(binding), owner)
            assert caught.value.code is Result.OBJECT_NOT_FOUND


async def test_a_batch_for_the_loop_does_not_overtake_a_queued_one() -> None:
    """Even if the queued one has not begun: its place is taken when it is enqueued."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("trace.o")
        target = w.targets.find(nmr.BindingHandle(link.binding), extension)
        link.program.nanoseconds_per_run = invocation.LONGEST_ON_LOOP_NS
        assert target.run_now(Batch(count=2)) is None
        target.enqueue()
        link.program.nanoseconds_per_run = 0.0
        assert target.run_now(Batch()) is None
        target.enqueue()
        first = asyncio.ensure_future(target.run_queued(Batch(count=2, contexts=contexts(1, 2))))
        second = asyncio.ensure_future(target.run_queued(Batch(contexts=contexts(3))))
        await soon(asyncio.gather(first, second))
        assert [line.text for line in w.trace.recent()] == ["got 1", "got 2", "got 3"]
        assert target.run_now(Batch(contexts=contexts(4))) is not None


async def test_two_long_runs_are_accidents_and_three_are_none() -> None:
    """The machine may interrupt a run, and the next; what takes long once more will take long."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        program = (await w.attached("count.o")).program
        longest = invocation.LONGEST_ON_LOOP_NS
        program.took(longest + 1)
        assert not w.executor.fits_loop([program], Batch()), "nothing else is known"
        program.took(100)
        assert w.executor.fits_loop([program], Batch())
        for _ in range(2):
            program.took(longest + 1)
            assert w.executor.fits_loop([program], Batch())
        program.took(longest + 1)
        assert not w.executor.fits_loop([program], Batch())


async def test_a_link_counts_its_own_runs() -> None:
    """Whether they run on the loop or on a thread, and apart from other links' runs."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("trace.o")
        target = w.targets.find(nmr.BindingHandle(link.binding), extension)
        assert target.run_now(Batch(count=2)) is not None
        target.enqueue()
        await soon(target.run_queued(Batch(), (1, 2, None)))
        assert link.tally.counters().runs == 3
        assert link.tally.counters().failures == {}


async def test_queued_batches_run_one_after_the_other_in_order() -> None:
    """The next begins when the one before has been answered."""
    async with world() as w:
        extension, values = FakeExtension(), list[object]()

        async def note(call: HelperCall) -> HelperOutcome:
            values.append(call.arguments[0])
            await asyncio.sleep(0)
            return HelperOutcome(0)

        extension.helper = note
        await w.provide(extension)
        link = await w.attached("helper_implicit_2.o")
        batches = [Batch(contexts=contexts(number)) for number in range(20)]
        await soon(asyncio.gather(*(w.invoke(link, extension, each) for each in batches)))
        assert values == list(range(20))


async def test_programs_that_wait_leave_threads_to_those_that_compute() -> None:
    """All waiting threads are taken, and a long batch, a single event and a test run go on."""
    async with world(quotas=Quotas(helper_threads=2)) as w:
        extension = FakeExtension()
        go = extension.hold_helper()
        await w.provide(extension)
        links = [await w.attached("helper_implicit_2.o") for _ in range(3)]
        waiting = [w.invoke(link, extension, Batch()) for link in links]
        counting = await w.attached("count.o")
        counting.program.nanoseconds_per_run = invocation.LONGEST_ON_LOOP_NS
        done = await soon(w.invoke(counting, extension, Batch(count=2)))
        assert done.codes == bytes(2)
        counting.program.nanoseconds_per_run = 0.0
        assert (await soon(run_test(counting.program, w.executor, b"", b"", 0, 2))).code == 0
        assert not any(each.done() for each in waiting)
        go.set()
        await soon(asyncio.gather(*waiting))


async def test_a_program_that_leads_to_one_that_waits_leaves_the_loop() -> None:
    """From the moment when it is in the program array, until it is out again."""
    async with world() as w:
        extension = FakeExtension()

        async def answer(call: HelperCall) -> HelperOutcome:
            return HelperOutcome(77)

        extension.helper = answer
        await w.provide(extension)
        link, waits = await w.attached("steps.o"), await w.load("helper_implicit_2.o")
        (steps,) = link.program.maps
        assert w.executor.fits_loop([link.program], Batch())
        await w.maps.put_program(steps.id, u32s(0), waits.id, 0)
        assert not w.executor.fits_loop([link.program], Batch())
        assert (await soon(w.invoke(link, extension, Batch()))).results == u32s(77)
        await w.maps.delete(steps.id, u32s(0))
        assert w.executor.fits_loop([link.program], Batch())
        assert (await soon(w.invoke(link, extension, Batch()))).results == u32s(3)


async def test_a_target_with_too_much_waiting_refuses_more() -> None:
    """NO_MEMORY in place, and there is room again when one has run."""
    async with world() as w:
        extension = FakeExtension()
        go = extension.hold_helper()
        await w.provide(extension)
        link = await w.attached("helper_implicit_2.o")
        waiting = [w.invoke(link, extension, Batch()) for _ in range(Quotas().link_batches)]
        with pytest.raises(RequestError, match="256 batches waiting") as caught:
            w.invoke(link, extension, Batch())
        assert caught.value.code is Result.NO_MEMORY
        go.set()
        await soon(asyncio.gather(*waiting))
        await soon(w.invoke(link, extension, Batch()))
        target = w.targets.find(nmr.BindingHandle(link.binding), extension)
        assert target.rundown.active == 0


async def test_batches_that_wait_are_bounded_in_bytes_too() -> None:
    """Of one target, whose first may be as long as it likes, and of all; a place is a place."""
    async with world(quotas=Quotas(link_batch_memory=100, batch_memory=250)) as w:
        extension = FakeExtension()
        await w.provide(extension)
        links = [await w.attached("trace.o") for _ in range(2)]
        one, other = (w.targets.find(nmr.BindingHandle(each.binding), extension) for each in links)
        one.enqueue(1, 150)
        with pytest.raises(RequestError, match="has 150 bytes of batches waiting") as caught:
            one.enqueue(7, 1)
        assert caught.value.code is Result.NO_MEMORY
        with pytest.raises(RequestError, match="the daemon has 150 bytes of batches waiting"):
            other.enqueue(1, 101)
        other.enqueue(1, 100)
        one.dequeue(150)
        one.enqueue(1, 150)
        batch = Batch(contexts=contexts(1))
        runs = one.run_queued(batch, size_bytes=150), other.run_queued(batch, size_bytes=100)
        await soon(asyncio.gather(*runs))
        assert w.executor.waiting_bytes == 0
        one.enqueue(1, 250)


async def test_a_cancelled_batch_holds_its_program_until_its_thread_ends() -> None:
    """The caller is gone, the run is not: a detach must wait for the run."""
    async with world() as w:
        extension = FakeExtension()
        go = extension.hold_helper()
        await w.provide(extension)
        link = await w.attached("helper_implicit_2.o")
        running = w.invoke(link, extension, Batch())
        assert await soon(extension.reached.get()) == "helper"
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        rundown = link.program.provider.rundown
        assert rundown.active == 1
        go.set()
        await until(lambda: rundown.active == 0)


async def test_removing_a_target_twice_or_never_added_does_nothing() -> None:
    """Refusal and cleanup may both remove it."""
    async with world() as w:
        await soon(w.targets.remove(12345))


async def raises(call: HelperCall) -> HelperOutcome:
    """A bug of whoever carries the call."""
    raise ZeroDivisionError(call.helper_id)


async def fails(call: HelperCall) -> HelperOutcome:
    """The extension's function raised."""
    return HelperOutcome(error="ValueError: no")


async def vanishes(call: HelperCall) -> HelperOutcome:
    """The process ends."""
    raise ModuleGoneError


async def is_late(call: HelperCall) -> HelperOutcome:
    """Its deadline passes."""
    raise TimeoutError


async def writes_a_stranger(call: HelperCall) -> HelperOutcome:
    """Garbage: there is no such argument."""
    return HelperOutcome(0, ((99, b"x"),))


async def writes_too_much(call: HelperCall) -> HelperOutcome:
    """Garbage: longer than the memory was."""
    return HelperOutcome(0, ((0, bytes(4096)),))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (raises, Result.FAILED),
        (fails, Result.FAILED),
        (vanishes, Result.EXTENSION_FAILED_TO_LOAD),
        (is_late, Result.TIMEOUT),
        (writes_a_stranger, Result.FAILED),
        (writes_too_much, Result.FAILED),
    ],
)
async def test_whatever_goes_wrong_with_a_helper_ends_one_invocation(
    answer: Helper, code: Result
) -> None:
    """One code for the context, and the next one runs."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("helper_implicit_2.o")
        once = iter([answer])

        async def first_goes_wrong(call: HelperCall) -> HelperOutcome:
            if (wrong := next(once, None)) is not None:
                return await wrong(call)
            return HelperOutcome(-3)

        extension.helper = first_goes_wrong
        done = await soon(w.invoke(link, extension, Batch(count=2)))
        assert done.codes == bytes([code, 0])
        assert done.results == u32s(0, 2**32 - 3)


async def test_a_late_helper_is_given_up_by_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if whoever carries the call knows no deadline."""
    monkeypatch.setattr(helpers, "DEADLINE_S", 0.05)
    monkeypatch.setattr(helpers, "GRACE_S", 0.05)
    async with world() as w:

        class Deaf(FakeExtension):
            async def call_helper(self, call: HelperCall, deadline_s: float) -> HelperOutcome:
                await asyncio.Event().wait()
                raise AssertionError(deadline_s)

        extension = Deaf()
        await w.provide(extension)
        link = await w.attached("helper_implicit_2.o")
        done = await soon(w.invoke(link, extension, Batch()))
        assert done.codes == bytes([Result.TIMEOUT])


async def test_a_helper_gets_its_arguments_and_changes_its_memory() -> None:
    """Memory by the prototype, the context beside it; what it wrote is what the program reads."""
    async with world() as w:
        extension, calls = FakeExtension(), list[HelperCall]()

        async def find(call: HelperCall) -> HelperOutcome:
            calls.append(call)
            return HelperOutcome(3)

        extension.helper = find
        await w.provide(extension)
        link = await w.attached("helper_find.o")
        done = await soon(w.invoke(link, extension, Batch(contexts=contexts(9))))
        assert done.results == u32s(3)
        (call,) = calls
        assert (call.helper_id, call.program_type) == (0x10001, SAMPLE.program_type)
        assert call.program_id == link.program.id
        assert [each for each in call.arguments if isinstance(each, bytes)] == [
            b"sample\0\0",
            b"ple\0",
        ]
        assert call.context == contexts(9)


async def test_an_override_gets_maps_by_id() -> None:
    """A general helper that the extension overrides, with a map among its arguments."""
    async with world() as w:
        extension, seen = FakeExtension(), list[object]()

        async def lookup(call: HelperCall) -> HelperOutcome:
            seen.extend(call.arguments)
            return HelperOutcome(0)

        extension.helper = lookup
        override = helper(
            2,
            "update",
            ArgumentType.PTR_TO_MAP,
            ArgumentType.PTR_TO_MAP_KEY,
            ArgumentType.PTR_TO_MAP_VALUE,
            ArgumentType.ANYTHING,
        )
        data = dataclasses.replace(
            with_info(SAMPLE, global_helpers=(override,)),
            helper_addresses=SAMPLE.helper_addresses | {2},
        )
        await w.provide(extension, data)
        link = await w.attached("count.o")
        done = await soon(w.invoke(link, extension, Batch(data=UDP)))
        assert done.codes == b"\0"
        (counted,) = link.program.maps
        assert seen[0] == MapArgument(counted.id)
        assert seen[1] == u32s(17)
