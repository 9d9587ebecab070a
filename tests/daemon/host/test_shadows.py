"""Programs beside those of links: what they say is compared, and reaches nobody."""

import struct
from itertools import count

import pytest

from ebpfd.host import shadows
from ebpfd.host.modules import HelperCall, HelperOutcome
from ebpfd.objects.chains import Batch
from ebpfd.objects.time_share import SAVED_S
from ebpfd_api.result import Result
from tests.daemon.host.recorded import begun, entries_of, replayed
from tests.daemon.host.test_invocation import contexts
from tests.daemon.host.test_recordings import sample
from tests.daemon.host.world import object_file, refused, until, world

NUMBERS = range(210)


async def test_the_same_program_says_the_same() -> None:
    """It is told the same time and chance, and has maps of its own, which fill alike."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("moods.o:mood")
        beside = await w.load("moods.o:mood")
        target = w.targets.find(link.binding, extension)
        await w.shadows.set(link.id, beside.id)
        assert target.runner is not w.executor
        for at in range(0, len(NUMBERS), 10):
            numbers = NUMBERS[at : at + 10]
            await w.invoke(link, extension, Batch(count=10, contexts=contexts(*numbers)))
        shadow = await w.shadows.clear(link.id)
        assert target.runner is w.executor
        assert (shadow.events, shadow.differing) == (len(NUMBERS), 0)
        assert (shadow.dropped, shadow.unknown, shadow.stopped) == (0, 0, "")
        assert beside.engine.counters().runs == len(NUMBERS)
        # The ring is the link's own program's to fill.
        (told,) = [each for each in beside.maps if each.name == "told"]
        assert told.map.read(10, 1000)[0] == []


async def test_another_program_differs_where_it_must_and_decides_nothing() -> None:
    """The latest differences are kept with both results."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("moods.o:mood")
        beside = await w.load("moods.o:changed_mood")
        await w.shadows.set(link.id, beside.id)
        results = dict[int, int]()
        for at in range(0, len(NUMBERS), 10):
            numbers = NUMBERS[at : at + 10]
            batch = Batch(count=10, contexts=contexts(*numbers))
            done = await w.invoke(link, extension, batch)
            results |= zip(numbers, struct.unpack("<10I", done.results), strict=True)
        shadow = await w.shadows.clear(link.id)
        expected = [number for number in NUMBERS if number % 7 == 0]
        assert (shadow.events, shadow.differing) == (len(NUMBERS), len(expected))
        assert [each.event - 1 for each in shadow.recent] == expected[-shadows.KEPT :]
        for each in shadow.recent:
            number = each.event - 1
            assert each.context == contexts(number)
            assert each.was == (0, results[number])
            assert each.shadow == (0, results[number] ^ 0xFFFFFFFF)


async def test_an_extension_hears_nothing_of_a_shadow() -> None:
    """What it told the link's program is told again; what that did not ask is unknown."""
    async with world() as w:
        extension = await sample(w)
        asked = 0

        async def count(call: HelperCall) -> HelperOutcome:
            nonlocal asked
            asked += 1
            return HelperOutcome(asked)

        extension.helper = count
        link = await w.attached("helper_implicit_2.o")
        same = await w.load("helper_implicit_2.o")
        other = await w.load("helper_implicit_1.o")
        await w.shadows.set(link.id, same.id)
        await w.invoke(link, extension, Batch(count=3, contexts=contexts(1, 2, 3)))
        first = w.shadows.get(link.id)
        await w.shadows.set(link.id, other.id)
        assert (first.program, first.events, first.differing) == (same, 3, 0)
        await w.invoke(link, extension, Batch(count=2, contexts=contexts(1, 2)))
        shadow = await w.shadows.clear(link.id)
        assert (shadow.differing, shadow.unknown, asked) == (2, 2, 5)
        assert [each.shadow for each in shadow.recent] == [(Result.FAILED, 0)] * 2
        assert link.tally.counters().failures == {}


async def test_what_a_shadow_is_too_slow_for_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and by bytes; the event has its answer."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        beside = await w.load("count.o")
        await w.shadows.set(link.id, beside.id)
        monkeypatch.setattr(shadows, "MAX_WAITING", 0)
        done = await w.invoke(link, extension, Batch(count=3, contexts=contexts(1, 2, 3)))
        assert done.codes == bytes(3)
        monkeypatch.undo()
        monkeypatch.setattr(shadows, "MAX_WAITING_BYTES", 1)
        await w.invoke(link, extension, Batch())
        monkeypatch.undo()
        await w.invoke(link, extension, Batch())
        shadow = await w.shadows.clear(link.id)
        assert (shadow.events, shadow.dropped) == (1, 4)


async def test_a_shadow_gets_its_share_of_time_and_no_more() -> None:
    """What is beyond it is skipped, counted, and costs the link's program nothing."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        beside = await w.load("count.o")
        now, each_takes_s, share = 0.0, 0.05, 0.1
        processor = count(step=each_takes_s)  # asked before and after each run
        beside_it = shadows.Shadows(
            targets=w.targets,
            objects=w.objects,
            clock=lambda: now,
            processor=lambda: next(processor),
        )
        shadow = await beside_it.set(link.id, beside.id, share_percent=10)
        for at in range(1, 201):
            now += 0.1
            done = await w.invoke(link, extension, Batch(count=2, contexts=contexts(1, 2)))
            assert done.codes == bytes(2)
            seen = 2 * at
            await until(lambda: shadow.events + shadow.skipped == seen)  # noqa: B023 (awaited here)
        runs = shadow.events // 2
        assert share * 20 <= runs * each_takes_s <= share * (20 + SAVED_S) + each_takes_s
        assert (shadow.dropped, shadow.differing) == (0, 0)
        assert link.tally.counters().runs == 400
        await beside_it.clear(link.id)
        beside_it.close()


@pytest.mark.parametrize("percent", [-1, 101])
async def test_a_share_of_time_is_a_percentage(percent: int) -> None:
    """Anything else is refused, and changes nothing."""
    async with world() as w:
        await sample(w)
        link = await w.attached("count.o")
        beside = await w.load("count.o")
        changed = w.shadows.set(link.id, beside.id, percent)
        message = await refused(changed, Result.INVALID_ARGUMENT)
        assert message == f"share_percent: {percent} is not from 1 to 100"
        await refused(w.shadows.clear(link.id), Result.OBJECT_NOT_FOUND)


async def test_who_cannot_be_a_shadow_is_refused() -> None:
    """One that shares maps, or is attached; and what there is none of."""
    async with world() as w:
        await sample(w)
        mood, changed = await w.programs.load(object_file("moods.o"), "moods.o", [])
        link = await w.links.attach(mood.id, "sample_ext", b"")
        message = await refused(w.shadows.set(link.id, changed.id), Result.INVALID_ARGUMENT)
        assert "shares map" in message
        assert "load it from its file again" in message
        other = await w.attached("count.o", b"\1")
        used = other.program.id
        message = await refused(w.shadows.set(link.id, used), Result.INVALID_ARGUMENT)
        assert message == f"program {used} is attached: load it from its file again"
        message = await refused(w.shadows.clear(link.id), Result.OBJECT_NOT_FOUND)
        assert message == f"link {link.id} has no shadow: `ebpfctl link shadow set` gives it one"
        await refused(w.shadows.set(99, changed.id), Result.KEY_NOT_FOUND)
        await refused(w.shadows.set(link.id, 99), Result.KEY_NOT_FOUND)


async def test_a_shadow_stays_when_its_link_gets_another_program() -> None:
    """Until that is the shadow itself, or it is unloaded: it says why it runs no more."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("moods.o:mood")
        beside = await w.load("moods.o:changed_mood")
        shadow = await w.shadows.set(link.id, beside.id)
        await w.links.replace(link.id, (await w.load("moods.o:mood")).id)
        await w.invoke(link, extension, Batch())
        assert shadow.stopped == ""
        await w.links.replace(link.id, beside.id)
        await w.invoke(link, extension, Batch())
        assert shadow.stopped == "its program is attached now"
        assert (await w.shadows.clear(link.id)).events == 1
        again = await w.load("count.o")
        shadow = await w.shadows.set(link.id, again.id)
        await w.programs.unload(again.id)
        assert (await w.invoke(link, extension, Batch())).codes == b"\0"
        assert shadow.stopped == "its program was unloaded"


async def test_a_shadow_goes_with_its_link() -> None:
    """Nothing of it is left between targets and the executor."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("count.o")
        beside = await w.load("count.o")
        await w.shadows.set(link.id, beside.id)
        await w.invoke(link, extension, Batch())
        await w.links.detach(link.id)
        await refused(w.shadows.clear(link.id), Result.STALE_ID)
        again = await w.attached("count.o")
        assert w.targets.find(again.binding, extension).runner is w.executor


async def test_a_link_with_a_shadow_is_recorded() -> None:
    """Either sees all of it, in whichever order they came."""
    async with world() as w:
        extension = await sample(w)
        link = await w.attached("moods.o:mood")
        beside = await w.load("moods.o:mood")
        early = begun(w)
        await w.shadows.set(link.id, beside.id)
        await w.invoke(link, extension, Batch(count=2, contexts=contexts(1, 2)))
        first = await entries_of(early)
        late = begun(w)
        await w.invoke(link, extension, Batch(count=2, contexts=contexts(1, 2)))
        second = await entries_of(late)
        shadow = await w.shadows.clear(link.id)
        assert (shadow.events, shadow.differing) == (4, 0)
    for entries in (first, second):
        report = replayed(entries)
        assert (report.events, report.differing) == (2, 0)
