"""Programs that lead to others, run by their hook's process: with all that they lead to."""

from functools import partial
from pathlib import Path
from typing import Final

import pytest

from ebpfd_sdk import Program, Result
from ebpfd_sdk.testing import until
from tests.e2e import told
from tests.e2e.twins import LOCAL, REMOTE, Twin, contents, extension, outcomes, printed, ran, twins
from tests.e2e.world import PROGRAMS, STATES, World, world

OWN: Final = Path(__file__).with_name("programs")
STEPS: Final = [0, 1, 2, 5, 33, 34, 40]
"""As many programs follow the first one; 33 may."""


async def _is_local(w: World, link_id: int) -> bool:
    return str((await w.ctl_json("link", "show", str(link_id)))["where"]).startswith("local")


async def _lead(w: World, twin: Twin, to: Program) -> None:
    """Put a program where *twin* goes on; the process has it then."""
    await twin.program.maps["stations"].set_program(0, to)
    if twin.parameter == LOCAL:
        await until(partial(_is_local, w, twin.link.id))


@pytest.mark.parametrize("state", STATES)
async def test_a_program_leads_to_itself_the_same(tmp_path: Path, state: str) -> None:
    """Contexts, results, maps and what is counted; an event is one, however often it went on."""
    async with world(tmp_path, "--local", *STATES[state]) as w, extension(w) as its:
        both = await twins(w, OWN / "relay.o")
        for each in both:
            await _lead(w, each, each.program)
        remote, local = [await ran(its, each.parameter, STEPS) for each in both]
        assert local == remote
        assert [each[:2] for each in local] == [[0, 1]] * 5 + [[0, 2]] * 2
        assert await outcomes(w, both[0]) == await outcomes(w, both[1])
        shown = await w.ctl_json("link", "show", str(both[1].link.id))
        assert shown["runs"] == len(STEPS)
        assert (await w.client.program(both[1].program.id)).counters.runs == sum(
            1 + min(each, 33) for each in STEPS
        )
        passed = [await contents(each.program.maps["passed"]) for each in both]
        assert passed[0] == passed[1]
        now = await ran(its, LOCAL, STEPS, now=True)
        assert [each[:2] for each in now] == [each[:2] for each in local]


async def test_what_fails_where_it_leads_fails_the_same(tmp_path: Path) -> None:
    """The event of the link, and the run of the program in which it ended, with its line."""
    async with world(tmp_path, "--local") as w, extension(w) as its:
        both = await twins(w, OWN / "relay.o")
        asking = [each.others["asking"] for each in both]
        for each, to in zip(both, asking, strict=True):
            await _lead(w, each, to)
        remote, local = [await ran(its, each.parameter, [0, 1, 3, 2, 4]) for each in both]
        assert local == remote
        failed = Result.FAILED
        assert [code for code, _, _ in local] == [0, 0, failed, 0, failed]
        assert [result for _, result, _ in local] == [1, 7, 0, 2**32 - 3, 0]
        assert await outcomes(w, both[0]) == await outcomes(w, both[1])
        counted = [(await w.client.program(each.id)).counters for each in asking]
        assert [(each.runs, each.failures) for each in counted] == [(4, {failed: 2})] * 2
        lines = [await printed(w.client, each) for each in asking]
        assert lines[0] == lines[1]
        assert len(lines[0]) == 2


async def test_what_an_array_holds_is_what_it_leads_to(tmp_path: Path) -> None:
    """From the moment in which that was answered, in both ways."""
    async with world(tmp_path, "--local") as w, extension(w) as its:
        for twin in await twins(w, OWN / "relay.o"):
            stations, asking = twin.program.maps["stations"], twin.others["asking"]
            assert (await ran(its, twin.parameter, [1]))[0][:2] == [0, 2]
            await stations.set_program(0, twin.program)
            assert (await ran(its, twin.parameter, [1]))[0][:2] == [0, 1]
            await stations.set_program(0, asking)
            assert (await ran(its, twin.parameter, [1]))[0][:2] == [0, 7]
            await stations.delete(0)
            assert (await ran(its, twin.parameter, [1]))[0][:2] == [0, 2]
            counted = (await w.client.program(asking.id)).counters.runs
            assert counted == 1
            await asking.unload()


async def test_nothing_goes_on_with_what_was_taken_out(tmp_path: Path) -> None:
    """However many events are on their way."""
    async with world(tmp_path, "--local") as w, told.extension(w, "local_extension") as its:
        (first,) = (await w.client.load(OWN / "steps.o")).values()
        (counting,) = (await w.client.load(PROGRAMS / "count.o")).values()
        steps = first.maps["steps"]
        await steps.set_program(0, counting)
        link = await first.attach("sample_ext")
        await until(partial(_is_local, w, link.id))

        async def runs(of: Program) -> int:
            return (await w.client.program(of.id)).counters.runs

        async def goes_on(of: Program, since: int) -> bool:
            return await runs(of) > since

        assert await its.ask("loop") == "looping"
        await until(partial(goes_on, counting, 0))
        await steps.delete(0)
        counted, held = await runs(counting), await contents(counting.maps["by_protocol"])
        await until(partial(goes_on, first, await runs(first)))
        await until(partial(_is_local, w, link.id))
        assert await runs(counting) == counted
        assert await contents(counting.maps["by_protocol"]) == held


async def test_an_array_that_a_program_may_empty_stays_in_the_daemon(tmp_path: Path) -> None:
    """With all that go on by it, until that program is gone."""
    async with world(tmp_path, "--local") as w, extension(w):
        loaded = await w.client.load(OWN / "emptying.o")
        leading, emptying = loaded["leading"], loaded["emptying"]
        reason = "remote: program emptying may take programs out of stations"
        for each, parameter in ((emptying, REMOTE), (leading, LOCAL)):
            link = await each.attach("sample_ext", parameter=bytes.fromhex(parameter))
            shown = await w.ctl_json("link", "show", str(link.id))
            assert shown["where"].startswith(reason)
            await link.detach()
        await emptying.unload()
        link = await leading.attach("sample_ext", parameter=bytes.fromhex(LOCAL))
        assert await _is_local(w, link.id)
