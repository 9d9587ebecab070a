"""``ebpfctl top`` beside an extension that is at work."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from signal import SIGINT
from typing import Any

from ebpfd_sdk.testing import until
from tests.e2e.world import PROGRAMS, World, interruptible, script, world

BUSY = Path(__file__).parent / "busy_extension.py"


async def _attached(w: World) -> int:
    program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
    return (await program.attach("sample_ext")).id


async def test_once_shows_one_period(tmp_path: Path) -> None:
    """For people and for programs: the link that is at work, its program, and the daemon."""
    async with world(tmp_path) as w, script(w, BUSY):
        link = await _attached(w)
        text = await w.ctl("top", "--once", "--interval", "0.2")
        assert text.code == 0, text.err
        lines = text.out.splitlines()
        assert lines[0].startswith("up 0:00:")
        assert "sessions 1" in lines[0]
        assert lines[2].split()[:4] == ["LINK", "NAME", "HOOK", "RUNS/S"]
        assert lines[3].split()[:3] == [str(link), "count_by_protocol", "sample_ext"]
        shown = await w.ctl_json("top", "--once", "--interval", "0.2")
        (row,), (program,) = shown["links"], shown["programs"]
        assert row["link"] == link
        assert 0 <= row["runs"] <= row["total"]["runs"] <= program["total"]["runs"]
        assert (row["failures"], shown["sessions"], shown["maps"]) == ({}, 1, 1)


async def test_a_link_and_its_program_say_how_long_runs_took(tmp_path: Path) -> None:
    """And what the link has in flight: nothing, of what runs as soon as it arrives."""
    async with world(tmp_path) as w, script(w, BUSY):
        link = await _attached(w)
        shown: dict[str, Any] = {}

        async def has_run() -> bool:
            shown.update(await w.ctl_json("link", "show", str(link)))
            return bool(shown["runs"])

        await until(has_run)
        assert 0 < shown["p50_ns"] <= shown["p99_ns"]
        assert (shown["in_flight"], shown["running"], shown["failures"]) == (0, 0, {})
        program = await w.ctl_json("program", "show", str(shown["program"]))
        assert 0 < program["p50_ns"] <= program["p99_ns"]
        (attached,) = await w.client.links()
        assert attached.latency.runs > 0
        assert attached.latency.runs <= attached.counters.runs


async def test_a_line_of_json_for_each_period_until_it_is_stopped(tmp_path: Path) -> None:
    """SIGINT is the ordinary end."""
    async with world(tmp_path) as w, script(w, BUSY):
        await _attached(w)
        with interruptible():
            top = await asyncio.create_subprocess_exec(
                Path(sys.executable).with_name("ebpfctl"),
                *("--address", w.address, "-o", "json", "top", "--interval", "0.05"),
                stdout=PIPE,
            )
        assert top.stdout is not None
        async with asyncio.timeout(60):
            links = [json.loads(await top.stdout.readline())["links"][0]]
            while links[-1]["runs"] == 0 or len(links) < 3:
                links.append(json.loads(await top.stdout.readline())["links"][0])
            top.send_signal(SIGINT)
            await top.stdout.read()
            assert await top.wait() == 0
        at_work = links[-1]
        assert 0 < at_work["p50_ns"] <= at_work["p99_ns"]
        assert at_work["runs_per_s"] > 0 < at_work["busy"]
        totals = [each["total"]["runs"] for each in links]
        assert totals == sorted(totals)
        assert at_work["runs"] == totals[-1] - totals[-2]
