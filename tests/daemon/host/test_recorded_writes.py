"""What users write to maps while a hook is recorded is done again where it was done."""

from collections.abc import Awaitable, Sequence
from itertools import pairwise

import pytest

from ebpfd.host import recording
from ebpfd.host.maps import MapDeclaration
from ebpfd.host.test_runs import test_run as run_test
from ebpfd.objects import Link, MapObject
from ebpfd.objects.chains import Batch
from ebpfd.objects.recordings import (
    Entry,
    Loss,
    RecordedBatch,
    RecordedMap,
    RecordedWrite,
    Unseen,
    WriteKind,
)
from ebpfd_vm import EngineError, lane_count
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.recorded import begun, entries_of, replayed
from tests.daemon.host.test_invocation import contexts, u32s
from tests.daemon.host.test_recordings import sample
from tests.daemon.host.world import World, object_file, until, world

LARGE = (1 << 40).to_bytes(8, "little")


def map_of(link: Link, name: str) -> MapObject:
    """A map of a link's program."""
    return next(each for each in link.program.maps if each.name == name)


def writes(entries: Sequence[Entry]) -> list[RecordedWrite]:
    """Those that were recorded."""
    return [each for each in entries if isinstance(each, RecordedWrite)]


async def between(
    w: World, link: Link, extension: FakeExtension, works: Sequence[Awaitable[object]]
) -> list[Entry]:
    """A recording of an event, some work, an event, and so on."""
    recorded = begun(w)
    for number, work in enumerate(works):
        await w.invoke(link, extension, Batch(contexts=contexts(number % 3)))
        await work
    await w.invoke(link, extension, Batch(contexts=contexts(1)))
    await w.invoke(link, extension, Batch(contexts=contexts(2)))
    return await entries_of(recorded)


async def in_vain(work: Awaitable[object]) -> None:
    """Write what the map refuses, all or some of it."""
    with pytest.raises(EngineError):
        await work


async def test_what_users_write_between_events_is_replayed() -> None:
    """One value or many, deleted or taken, of any lane, in vain too; without it, results differ."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("moods.o:mood")
        seen, here = map_of(link, "seen").id, map_of(link, "here").id
        total = next(
            each for each in link.program.maps if each.name not in {"seen", "here", "told"}
        )
        entries = await between(
            w,
            link,
            extension,
            [
                w.maps.update(seen, u32s(1), LARGE, 0),
                w.maps.update_batch(seen, u32s(0, 2), LARGE + bytes(8), 0),
                in_vain(w.maps.update(seen, u32s(1), LARGE, 1)),  # it is there
                w.maps.delete(seen, u32s(0)),
                w.maps.update(here, u32s(0), LARGE * lane_count(), 0),
                in_vain(w.maps.delete_batch(seen, u32s(1, 77))),  # the second is not
                w.maps.take_page(seen, None, 1),
                w.maps.update(total.id, u32s(0), LARGE, 0),
            ],
        )
    assert len(writes(entries)) == 8
    report = replayed(entries)
    assert (report.events, report.differing, report.notes) == (10, 0, [])
    unwritten = [each for each in entries if not isinstance(each, RecordedWrite)]
    assert replayed(unwritten).differing > 0


async def test_a_user_fills_and_empties_program_arrays_meanwhile() -> None:
    """Programs are found by their names in the file."""
    async with world() as w:
        extension = await sample(w)
        loaded = await w.programs.load(object_file("ready_steps.o"), "", ["begin", "finish"])
        programs = {each.name: each for each in loaded}
        begin, finish = programs["begin"], programs["finish"]
        link = await w.links.attach(begin.id, "sample_ext", b"")
        steps = map_of(link, "steps").id
        entries = await between(
            w,
            link,
            extension,
            [
                w.maps.delete(steps, u32s(2)),
                w.maps.put_program(steps, u32s(2), finish.id, 0),
                w.maps.put_program(steps, u32s(3), begin.id, 0),
                w.maps.delete(steps, u32s(2)),
            ],
        )
    results = [each.results for each in entries if isinstance(each, RecordedBatch)]
    assert results == [u32s(42), u32s(3), u32s(42), u32s(42), u32s(3), u32s(3)]
    report = replayed(entries)
    assert (report.differing, report.notes) == (0, [])


async def test_a_map_that_a_user_puts_into_another_is_recorded_with_its_contents() -> None:
    """Before the write; what is written to it afterwards is, too."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("nested.o")
        (outer,) = (each for each in link.program.maps if each.is_container)
        (like, *_) = (each for each in outer.held.values() if isinstance(each, MapObject))
        made = await w.maps.create(
            MapDeclaration(
                like.map.type, like.map.key_size, like.map.value_size, like.map.max_entries
            )
        )
        await w.maps.update(made.id, bytes(like.map.key_size), b"\7" * like.map.value_size, 0)
        key = next(iter(outer.held))
        entries = await between(
            w,
            link,
            extension,
            [
                w.maps.put_map(outer.id, key, made.id, 0),
                w.maps.update(made.id, bytes(like.map.key_size), b"\x09" * like.map.value_size, 0),
                w.maps.delete(outer.id, key),
            ],
        )
    order = [
        each.id if isinstance(each, RecordedMap) else each.map_id
        for each in entries
        if isinstance(each, RecordedMap | RecordedWrite)
    ]
    assert order[-4:] == [made.id, outer.id, made.id, outer.id]
    report = replayed(entries)
    assert (report.differing, report.notes) == (0, [])


async def test_a_user_pushes_and_pops_meanwhile() -> None:
    """The program's own pushes find as much room as then."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("kinds.o")
        waiting, routes = map_of(link, "waiting").id, map_of(link, "routes").id

        async def pop() -> None:
            await w.maps.take(waiting, b"")

        route = u32s(32, 1)
        entries = await between(
            w,
            link,
            extension,
            [
                w.maps.update(waiting, b"", u32s(9), 0),
                pop(),
                w.maps.update(routes, route, u32s(77), 0),
                pop(),
                pop(),
                pop(),
            ],
        )
    kinds = [each.kind for each in writes(entries)]
    assert kinds == [
        WriteKind.UPDATE,
        WriteKind.POP,
        WriteKind.UPDATE,
        WriteKind.POP,
        WriteKind.POP,
        WriteKind.POP,
    ]
    report = replayed(entries)
    assert (report.differing, report.notes) == (0, [])


async def test_writes_to_other_maps_are_no_ones_business() -> None:
    """Nor are those before and after the recording."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        (counted,) = link.program.maps
        other = await w.maps.create(MapDeclaration(1, 4, 8, 8))
        recorded = begun(w)
        await w.maps.update(other.id, u32s(1), LARGE, 0)
        await w.maps.update(counted.id, u32s(6), LARGE, 0)
        entries = await entries_of(recorded)
        assert [each.map_id for each in writes(entries)] == [counted.id]
        await w.maps.update(counted.id, u32s(6), LARGE, 0)
        await w.invoke(link, extension, Batch())
        assert not w.maps.when_written


async def test_a_run_that_a_write_meets_is_marked() -> None:
    """Nobody knows which of the two was first."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("moods.o:mood")
        link.program.nanoseconds_per_run = 1e9  # it leaves the loop
        recorded = begun(w)
        running = w.invoke(link, extension, Batch(contexts=contexts(1)))
        await until(lambda: link.in_turn == 1)
        await w.maps.update(map_of(link, "seen").id, u32s(1), LARGE, 0)
        await running
        entries = await entries_of(recorded)
    (batch,) = (each for each in entries if isinstance(each, RecordedBatch))
    assert batch.overlapped


async def test_who_reads_too_slowly_loses_writes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted where they are missing, and a replay says so."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        (counted,) = link.program.maps
        recorded = begun(w)
        await w.invoke(link, extension, Batch())
        with monkeypatch.context() as patched:
            patched.setattr(recording, "MAX_WAITING_BYTES", 0)
            for _ in range(3):
                await w.maps.update(counted.id, u32s(6), LARGE, 0)
        await w.invoke(link, extension, Batch())
        entries = await entries_of(recorded)
    before, after = next(pair for pair in pairwise(entries) if isinstance(pair[0], Loss))
    assert before == Loss(0, 3)
    assert isinstance(after, RecordedBatch)
    assert replayed(entries).lost_writes == 3


async def test_test_runs_are_named_too() -> None:
    """Once for each map that the program writes to."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        recorded = begun(w)
        await w.invoke(link, extension, Batch())
        for _ in range(2):
            await run_test(link.program, w.executor, b"", b"", 0, 1)
        entries = await entries_of(recorded)
        assert not w.executor.when_tested
    (counted,) = link.program.maps
    unseen = [each for each in entries if isinstance(each, Unseen)]
    assert unseen == [Unseen(counted.id, 0, "count_by_protocol")]
    (note,) = replayed(entries).notes
    assert note.endswith("may have written to it in a test run, which is not recorded")


async def _through(w: World, link: Link) -> None:
    """Attach a link's program once more."""
    await w.links.attach(link.program.id, link.attach_type, b"\5")


@pytest.mark.parametrize(("when", "count"), [("before", 1), ("meanwhile", 1), ("never", 0)])
async def test_links_that_are_not_recorded_are_named(when: str, count: int) -> None:
    """They may write to the same maps, which a replay cannot know of."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        if when == "before":
            await _through(w, link)
        recorded = begun(w, link.id)
        await w.invoke(link, extension, Batch())
        if when == "meanwhile":
            await _through(w, link)
        entries = await entries_of(recorded)
        others = [each.id for each in w.objects.links() if each is not link]
    unseen = [each for each in entries if isinstance(each, Unseen)]
    assert [each.link_id for each in unseen] == others
    notes = [
        "map by_protocol: program count_by_protocol may have written to it through link "
        f"{other}, which is not recorded"
        for other in others
    ]
    assert replayed(entries).notes == notes
    assert len(notes) == count
