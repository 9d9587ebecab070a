"""What a program changes in its hook's process is there at once, counted, and whole after a kill.

``EBPFD_ROUNDS=100`` kills so often; else it is a few times.
"""

import asyncio
import os
import random
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from ebpfd_sdk import Program
from ebpfd_sdk.testing import until
from tests.e2e import churn, told
from tests.e2e.told import Told
from tests.e2e.world import PATIENCE_S, PROGRAMS, STATES, World, world

ROUNDS: Final = int(os.environ.get("EBPFD_ROUNDS", "3"))
DROP: Final = "1"

pytestmark = pytest.mark.parametrize("state", STATES)


async def test_what_is_counted_is_there_at_once(tmp_path: Path, state: str) -> None:
    """In the map, and in each counter, to the last of 100,000 events."""
    async with (
        world(tmp_path, "--local", *STATES[state]) as w,
        told.extension(w, churn.EXTENSION) as its,
    ):
        program = await churn.loaded(w)
        link = await program.attach(churn.HOOK)
        assert link.where.startswith("local")
        events = 0
        for command, count in (("one", 1), ("one", 999), ("batch", 95_000), ("one", 4_000)):
            assert await its.ask(f"{command} {count}") == str(count)
            events += count
            got = await w.ctl_json("map", "get", str(program.maps[churn.RUNS].id), "0")
            assert got["value_number"] == events
            shown = await w.ctl_json("link", "show", str(link.id))
            assert (shown["runs"], shown["outcomes"]["success"]) == (events, events)
            assert (await w.client.program(program.id)).counters.runs == events
        await churn.check(w, program)


async def test_a_kill_amid_changes_leaves_whole_maps(tmp_path: Path, state: str) -> None:
    """The daemon reads and changes them, other links go on, the next process takes the link."""
    dice = random.Random(1)
    async with (
        world(tmp_path, "--local", *STATES[state]) as w,
        told.extension(w, "local_extension") as other,
    ):
        counting = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        await counting.attach("sample_ext")
        async with told.extension(w, churn.EXTENSION):
            program = await churn.loaded(w)
            link = await program.attach(churn.HOOK)
        for number in range(ROUNDS):
            async with told.extension(w, churn.EXTENSION) as its:
                await _taken(w, link.id, its)
                before = await churn.runs(program)
                assert await its.ask("endless") == "endless"
                await until(partial(_run_since, program, before))
                for _ in range(dice.randrange(10)):
                    await churn.runs(program)
                await its.kill()
            await churn.check(w, program)
            await churn.change(program, dice.sample(range(64), 8))
            assert await other.ask("now 1") == DROP
            assert (await w.client.program(counting.id)).counters.runs == number + 1


async def _run_since(program: Program, runs: int) -> bool:
    return await churn.runs(program) > runs


async def _taken(w: World, link_id: int, its: Told) -> None:
    """Wait until the process has the link's program."""
    here = (link_id, f"local: in process {its.process.pid}")
    async with asyncio.timeout(PATIENCE_S):
        while here not in {(link.id, link.where) for link in await w.client.links()}:
            pass
