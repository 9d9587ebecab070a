"""What is recorded: which links, which programs, where it ends, and what is lost."""

import asyncio

import pytest

from ebpfd.errors import RequestError
from ebpfd.host import map_contents, recording
from ebpfd.host.modules import HelperCall, HelperOutcome
from ebpfd.objects.chains import Batch
from ebpfd.objects.recordings import (
    End,
    Entry,
    Head,
    Loss,
    RecordedBatch,
    RecordedMap,
    RecordedProgram,
)
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.recorded import begun, entries_of, programs
from tests.daemon.host.test_invocation import contexts, u32s
from tests.daemon.host.world import World, soon, until, world


def batches(entries: list[Entry]) -> list[RecordedBatch]:
    """The recorded batches."""
    return [each for each in entries if isinstance(each, RecordedBatch)]


async def sample(w: World) -> FakeExtension:
    """An extension that provides the sample's type and hook."""
    extension = FakeExtension()
    await w.provide(extension)
    return extension


async def test_a_recording_holds_what_ran_and_what_it_came_to() -> None:
    """The program and its maps first; with the end, nothing stands before the executor."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("moods.o:mood")
        target = w.targets.find(link.binding, extension)
        recorded = begun(w)
        assert target.runner is not w.executor
        done = await w.invoke(link, extension, Batch(count=2, contexts=contexts(1, 2)))
        entries = await entries_of(recorded)
        assert target.runner is w.executor
        await w.invoke(link, extension, Batch())
        head, *maps, program, batch, end = entries
        assert isinstance(head, Head)
        assert (head.attach_type, head.attach_type_name, head.link_id) == (
            ATTACH_TYPE,
            "sample_ext",
            0,
        )
        names = {each.name for each in maps if isinstance(each, RecordedMap)}
        assert names == {"seen", "here", "told", ".bss"}
        assert isinstance(program, RecordedProgram)
        assert program.program_sha256 == link.program.spec.sha256
        assert program.object_file == link.program.source.object_file
        assert program.contract == link.program.contract
        assert isinstance(batch, RecordedBatch)
        assert (batch.link_id, batch.program_id, batch.count) == (link.id, program.id, 2)
        assert batch.contexts == contexts(1, 2)
        assert (batch.codes, batch.results) == (done.codes, done.results)
        assert batch.contexts_after == done.contexts
        assert end == End(events=2, lost=0)


async def test_of_a_hook_all_links_are_recorded_also_later_ones() -> None:
    """Of a link, that one alone."""
    async with world() as w:
        extension = await sample(w)
        first = await w.attached("moods.o:mood", b"\1")
        whole = begun(w)
        with pytest.raises(RequestError, match="is being recorded already") as caught:
            begun(w, first.id)
        assert caught.value.code is Result.INVALID_STATE
        second = await w.attached("count.o", b"\2")
        for link in (first, second, first):
            await w.invoke(link, extension, Batch())
        entries = await entries_of(whole)
        assert [each.link_id for each in batches(entries)] == [first.id, second.id, first.id]
        assert list(programs(entries).values()) == ["mood", "count_by_protocol"]
        one = begun(w, second.id)
        for link in (first, second, first):
            await w.invoke(link, extension, Batch())
        entries = await entries_of(one)
        assert [each.link_id for each in batches(entries)] == [second.id]
        assert list(programs(entries).values()) == ["count_by_protocol"]


async def test_a_program_that_replaces_another_is_recorded_too() -> None:
    """Before its first batch, with the maps that are new."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        recorded = begun(w)
        await w.invoke(link, extension, Batch())
        other = await w.load("count.o")
        await w.links.replace(link.id, other.id)
        await w.invoke(link, extension, Batch())
        entries = await entries_of(recorded)
        order = [type(each).__name__ for each in entries if not isinstance(each, Head | End)]
        one = ["RecordedMap", "RecordedProgram", "RecordedBatch"]
        assert [name for name in order if name != "RecordedMapEntries"] == one * 2


async def test_a_recording_ends_with_its_last_event() -> None:
    """In the middle of a batch, and the hook goes on."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        recorded = begun(w, limit=5)
        for _ in range(3):
            done = await w.invoke(link, extension, Batch(count=3, contexts=contexts(1, 2, 3)))
            assert done.codes == bytes(3)
        entries = await entries_of(recorded)
        assert [each.count for each in batches(entries)] == [3, 2]
        assert entries[-1] == End(5, 0)
        assert link.tally.counters().runs == 9


async def test_who_reads_too_slowly_loses_events_and_is_told_where(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The hook does not wait; what is lost counts towards the limit."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        recorded = begun(w, limit=5)
        batch = Batch(count=1, contexts=contexts(1))
        await w.invoke(link, extension, batch)
        reading = recorded.entries()
        head = await anext(reading)
        assert isinstance(head, Head)
        monkeypatch.setattr(recording, "MAX_WAITING_BYTES", 0)
        for _ in range(3):
            assert (await w.invoke(link, extension, batch)).codes == b"\0"
        monkeypatch.undo()
        await w.invoke(link, extension, batch)
        rest = [each async for each in reading]
        kinds = [each for each in rest if isinstance(each, RecordedBatch | Loss | End)]
        assert kinds[1::2] == [Loss(3), End(2, 3)]
        assert [type(each) for each in kinds[::2]] == [RecordedBatch] * 2


async def test_loss_at_the_end_is_said_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of who is lost last."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        recorded = begun(w)
        monkeypatch.setattr(recording, "MAX_WAITING_BYTES", 0)
        await w.invoke(link, extension, Batch())
        entries = await entries_of(recorded)
        assert entries[-2:] == [Loss(1), End(0, 1)]


async def test_a_run_that_nobody_waits_for_is_lost() -> None:
    """The thread goes on with it, and maps change."""
    async with world() as w:
        extension = await sample(w)
        gate = asyncio.Event()

        async def late(call: HelperCall) -> HelperOutcome:
            await gate.wait()
            return HelperOutcome(1)

        extension.helper = late
        link = await w.attached("helper_implicit_2.o")
        recorded = begun(w)
        invoked = w.invoke(link, extension, Batch())
        await soon(extension.reached.get())
        invoked.cancel()
        await asyncio.wait([invoked])
        gate.set()
        entries = await entries_of(recorded)
        assert entries[-2:] == [Loss(1), End(0, 1)]
        await until(lambda: link.tally.counters().runs == 1)


async def test_runs_beside_each_other_are_marked() -> None:
    """Of two links on threads; what runs alone is not."""
    async with world() as w:
        extension = await sample(w)
        gate, both = asyncio.Event(), 0

        async def late(call: HelperCall) -> HelperOutcome:
            nonlocal both
            both += 1
            await gate.wait()
            return HelperOutcome(1)

        extension.helper = late
        first = await w.attached("helper_implicit_2.o", b"\1")
        second = await w.attached("helper_implicit_2.o", b"\2")
        recorded = begun(w)
        invoked = [w.invoke(link, extension, Batch()) for link in (first, second)]
        await until(lambda: both == 2)
        gate.set()
        await asyncio.gather(*invoked)
        await w.invoke(first, extension, Batch())
        entries = await entries_of(recorded)
        assert [each.overlapped for each in batches(entries)] == [True, True, False]


async def test_maps_that_are_too_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the beginning, with what to do; of a program that comes later, it ends the recording."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        await w.invoke(link, extension, Batch())
        monkeypatch.setattr(map_contents, "MAX_BYTES", 11)
        with pytest.raises(RequestError, match="hold 12 bytes, more than the 11") as caught:
            begun(w)
        assert caught.value.code is Result.NO_MEMORY
        monkeypatch.setattr(map_contents, "MAX_BYTES", 12)
        recorded = begun(w)
        other = await w.attached("moods.o:mood", b"\1")
        done = await w.invoke(other, extension, Batch())
        assert done.codes == b"\0"
        end = (await entries_of(recorded))[-1]
        assert isinstance(end, End)
        assert "bytes, more than the 12" in end.reason
        assert begun(w, link.id)


async def test_columns_that_make_no_sense_are_not_recorded() -> None:
    """Nothing ran."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        recorded = begun(w)
        with pytest.raises(RequestError):
            w.invoke(link, extension, Batch(count=2, data=b"ab", data_lengths=u32s(1, 9)))
        assert (await entries_of(recorded))[-1] == End(0, 0)
