"""Recordings run again: with the same program nothing differs, with another exactly what must."""

import random
from dataclasses import replace
from typing import TypeGuard

import pytest

from ebpfd.errors import RequestError
from ebpfd.host.modules import HelperCall, HelperOutcome
from ebpfd.objects.chains import Batch
from ebpfd.objects.recordings import (
    Entry,
    Head,
    Loss,
    RecordedBatch,
    RecordedMap,
    RecordedMapEntries,
    RecordedProgram,
)
from ebpfd_api.result import Result
from ebpfd_vm import lane_count
from tests.daemon.host.recorded import begun, entries_of, instead, replayed
from tests.daemon.host.test_invocation import contexts, u32s
from tests.daemon.host.test_recordings import sample
from tests.daemon.host.world import World, object_file, world
from tests.packets import MALFORMED, TCP, UDP

NUMBERS = range(70)


async def moods(w: World, name: str = "moods.o:mood") -> list[Entry]:
    """A recording of a program whose results hang on everything, begun with maps in use."""
    extension = await sample(w)
    link = await w.attached(name)
    for _ in range(3):
        await w.invoke(link, extension, Batch(count=4, contexts=contexts(0, 1, 2, 3)))
    recorded = begun(w)
    for at in range(0, len(NUMBERS), 5):
        numbers = NUMBERS[at : at + 5]
        await w.invoke(link, extension, Batch(count=5, contexts=contexts(*numbers)))
    return await entries_of(recorded)


async def test_the_same_program_comes_to_the_same() -> None:
    """Clocks, chance, lane, origin, rings, and maps of three kinds as they were."""
    async with world() as w:
        entries = await moods(w)
    report = replayed(entries)
    assert (report.events, report.differing, report.unknown) == (len(NUMBERS), 0, 0)
    assert (report.complete, report.reason, report.notes) == (True, "", [])
    assert replayed(entries, instead(entries, "moods.o", "mood")) == report


async def test_a_replay_depends_on_all_of_it() -> None:
    """Without the maps as they were, or without a lost event, it comes to something else."""
    async with world() as w:
        entries = await moods(w)
    without = [each for each in entries if not isinstance(each, RecordedMapEntries)]
    assert replayed(without).differing == len(NUMBERS)
    lost = [
        Loss(each.count) if isinstance(each, RecordedBatch) and at == len(entries) - 3 else each
        for at, each in enumerate(entries)
    ]
    report = replayed(lost)
    assert (report.events, report.lost) == (len(NUMBERS) - 5, 5)
    assert report.differing == 5


async def test_another_program_differs_where_it_must_and_nowhere_else() -> None:
    """Each differing event with what it came to before and now."""
    async with world() as w:
        entries = await moods(w)
    other = instead(entries, "moods.o", "changed_mood")
    report = replayed(entries, other)
    expected = [number + 1 for number in NUMBERS if number % 7 == 0]
    assert [each.event for each in report.first] == expected
    assert report.differing == len(expected)
    for each in report.first:
        assert each.context == contexts(each.event - 1)
        assert each.now.result == each.was.result ^ 0xFFFFFFFF
        assert (each.now.code, each.now.context) == (each.was.code, each.was.context)
        assert each.program == "mood"
    shown = replayed(entries, other, show=2)
    assert (shown.first, shown.differing) == (report.first[:2], report.differing)


async def test_what_an_extension_said_is_said_again() -> None:
    """Nobody is asked; a program that asks for more is told that nobody knows."""
    async with world() as w:
        extension = await sample(w)
        chance = random.Random(7)

        async def anything(call: HelperCall) -> HelperOutcome:
            if chance.random() < 0.2:
                return HelperOutcome(0, error="not today")
            return HelperOutcome(chance.randrange(1 << 32))

        extension.helper = anything
        link = await w.attached("helper_implicit_2.o")
        recorded = begun(w)
        for _ in range(10):
            await w.invoke(link, extension, Batch(count=3, contexts=contexts(1, 2, 3)))
        entries = await entries_of(recorded)
        assert {*link.tally.counters().failures} == {Result.FAILED}
    report = replayed(entries)
    assert (report.events, report.differing, report.unknown) == (30, 0, 0)
    other = replayed(entries, instead(entries, "helper_implicit_1.o"))
    assert other.unknown == 30
    assert {each.now.code for each in other.first} == {Result.FAILED}


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("nested.o", [0, 1, 1, 101, 1, 2]),
        ("ready_steps.o:begin,finish", [0, 1]),
        ("kinds.o", [4, 5, 6, 4]),
        ("perf.o", [1, 2]),
    ],
)
async def test_maps_that_hold_others_and_all_other_kinds_come_back(
    name: str, events: list[int]
) -> None:
    """Maps in maps with their contents, programs by their names, rings and queues."""
    file, _, wanted = name.partition(":")
    async with world() as w:
        extension = await sample(w)
        loaded = await w.programs.load(object_file(file), file, wanted.split(",") if wanted else [])
        program = next(each for each in loaded if each.name != "finish")
        link = await w.links.attach(program.id, "sample_ext", b"")
        recorded = begun(w)
        for number in events:
            await w.invoke(link, extension, Batch(contexts=contexts(number)))
        entries = await entries_of(recorded)
    report = replayed(entries)
    assert (report.events, report.differing, report.notes) == (len(events), 0, [])
    if file == "ready_steps.o":
        (run, *_) = [each for each in entries if isinstance(each, RecordedBatch)]
        assert run.results == u32s(42)


async def test_a_program_that_an_array_had_may_be_missing_now() -> None:
    """It is said, and the tail call leads nowhere."""
    async with world() as w:
        extension = await sample(w)
        first = await w.load("steps.o")
        second = await w.load("count.o")
        (steps,) = first.maps
        await w.maps.put_program(steps.id, u32s(0), second.id, 0)
        link = await w.links.attach(first.id, "sample_ext", b"")
        recorded = begun(w)
        await w.invoke(link, extension, Batch())
        entries = await entries_of(recorded)
    report = replayed(entries)
    assert report.notes == ["map steps: the file has no program count_by_protocol"]
    (each,) = report.first
    assert (each.was.result, each.now.result) == (1, 3)


async def test_values_that_can_only_be_taken_are_not_recorded() -> None:
    """A queue that is not empty is said to be."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("kinds.o")
        await w.invoke(link, extension, Batch(contexts=contexts(1)))
        entries = await entries_of(begun(w))
    note = "map waiting: what was in it is not recorded: it begins empty"
    assert replayed(entries).notes == [note]


async def test_several_programs_run_side_by_side_on_maps_that_they_share() -> None:
    """And one of them may be another now: by its name, or as it is said."""
    async with world() as w:
        extension = await sample(w)
        mood, changed = await w.programs.load(object_file("moods.o"), "moods.o", [])
        links = [
            await w.links.attach(mood.id, "sample_ext", b"\1"),
            await w.links.attach(changed.id, "sample_ext", b"\2"),
        ]
        recorded = begun(w)
        for number in NUMBERS:
            link = links[number % 2]
            await w.invoke(link, extension, Batch(contexts=contexts(number)))
        entries = await entries_of(recorded)
    assert replayed(entries).differing == 0
    report = replayed(entries, instead(entries, "moods.o", "changed_mood", "mood"))
    assert [each.event - 1 for each in report.first] == [n for n in NUMBERS if n % 14 == 0]
    assert replayed(entries, instead(entries, "moods.o", "changed_mood")).differing == 0
    with pytest.raises(RequestError, match="name one with --of: changed_mood, mood"):
        instead(entries, "count.o")
    with pytest.raises(RequestError, match="as FILE:NAME: mood, changed_mood"):
        instead(entries, "moods.o", "nothing", "mood")
    with pytest.raises(RequestError, match='no program "x" was recorded'):
        instead(entries, "count.o", of="x")


async def test_data_comes_back_too() -> None:
    """Packets and verdicts."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        recorded = begun(w)
        packets = [UDP, MALFORMED, TCP, bytes(20), b""]
        batch = Batch(count=5, data=b"".join(packets), data_lengths=u32s(*map(len, packets)))
        await w.invoke(link, extension, batch)
        await w.invoke(link, extension, Batch(data=UDP))
        entries = await entries_of(recorded)
    assert replayed(entries).differing == 0
    changed = object_file("count.o").replace(b"\x2a\0\0\0", b"\x2b\0\0\0", 1)
    report = replayed(entries, replace(instead(entries, "count.o"), object_file=changed))
    (each,) = report.first
    assert (each.event, each.data) == (4, bytes(20))
    assert (each.was.result, each.now.result) == (42, 43)


async def test_programs_that_cannot_stand_in_are_refused() -> None:
    """Unsafe ones, and those of another type."""
    async with world() as w:
        entries = await moods(w)
    with pytest.raises(RequestError, match="is refused by the verifier: ") as caught:
        replayed(entries, instead(entries, "unsafe/out_of_bounds.o"))
    assert caught.value.code is Result.VERIFICATION_FAILED
    named = instead(entries, "moods.o", "mood")
    foreign = named.object_file.replace(b"sample_ext/mood", b"another_ty/mood")
    with pytest.raises(RequestError, match="program mood: "):
        replayed(entries, replace(named, object_file=foreign))


async def test_a_map_of_another_size_keeps_what_fits() -> None:
    """And one of another kind begins empty: both are said where they lack something."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("moods.o:mood")
        await w.invoke(link, extension, Batch(count=2, contexts=contexts(1, 2)))
        recorded = begun(w)
        await w.invoke(link, extension, Batch(count=2, contexts=contexts(1, 2)))
        entries = await entries_of(recorded)
    larger = [replace(each, max_entries=2048) if _is_seen(each) else each for each in entries]
    assert (replayed(larger).differing, replayed(larger).notes) == (0, [])
    other = [replace(each, value_size=4) if _is_seen(each) else each for each in entries]
    assert replayed(other).notes == ["map seen is of another kind now: it begins empty"]


def _is_seen(entry: Entry) -> TypeGuard[RecordedMap]:
    return isinstance(entry, RecordedMap) and entry.name == "seen"


async def test_lanes_of_another_machine() -> None:
    """Fewer are filled up; more cannot be had, and it is said."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("moods.o:mood")
        await w.invoke(link, extension, Batch())
        recorded = begun(w)
        await w.invoke(link, extension, Batch())
        entries = await entries_of(recorded)
    half = lane_count() // 2

    def on(lanes: int) -> list[Entry]:
        changed: list[Entry] = []
        for each in entries:
            match each:
                case Head():
                    changed.append(replace(each, lanes=lanes))
                case RecordedMapEntries(values=values) if len(values) == 8 * lane_count():
                    wider = values.ljust(8 * lanes, b"\0")
                    changed.append(replace(each, values=wider[: 8 * lanes]))
                case _:
                    changed.append(each)
        return changed

    assert replayed(on(half)).differing == 0
    with pytest.raises(RequestError, match="and this machine has"):
        replayed(on(lane_count() + 1))


async def test_recordings_that_lack_something_are_refused() -> None:
    """A program, its file, a map: each is named."""
    async with world() as w:
        entries = await moods(w)
    whole = [each for each in entries if not isinstance(each, RecordedProgram)]
    with pytest.raises(RequestError, match="but not the program"):
        replayed(whole)
    large = [
        replace(each, object_file=b"") if isinstance(each, RecordedProgram) else each
        for each in entries
    ]
    with pytest.raises(RequestError, match="give its file with --program FILE:mood"):
        replayed(large)
    assert replayed(large, instead(entries, "moods.o", "mood")).differing == 0
    with pytest.raises(RequestError, match="entries of map 99, but not the map"):
        replayed([RecordedMapEntries(99, b"", b"")])
