"""Nothing of a program that is gone runs any more, however many events are on their way.

``EBPFD_ROUNDS=1000`` does each so often; else it is once.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from ebpfd_sdk import Program, Result
from tests.e2e.faults.client import COUNT
from tests.e2e.faults.extension import PARAMETER, Counts
from tests.e2e.world import PATIENCE_S, World, world
from tests.packets import UDP

ROUNDS: Final = int(os.environ.get("EBPFD_ROUNDS", "1"))
EVENTS: Final = 100
"""Of its successor, before the old program is looked at again: what was sent to it has arrived."""

PROTOCOL: Final = 17

DEADLINE: Final = "3"
"""Seconds that a stopped extension is waited for."""


@asynccontextmanager
async def busy(w: World) -> AsyncGenerator[Process]:
    """An extension with calls in flight whenever something is attached."""
    assert UDP[23] == PROTOCOL
    with (w.folder / "extension.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.e2e.faults.extension"),
            *(str(w.folder / "counts"), w.address),
            stdin=DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        async for _ in w.client.watch_registrar():
            if any(each.module_name == "sample_ext" for each in await w.client.providers()):
                break
        yield process
    finally:
        process.kill()
        await process.wait()


class Old:
    """A program that runs, and what it leaves behind."""

    def __init__(self, w: World, program: Program) -> None:
        self._client = w.client
        self.program = program
        self.counts = program.maps["by_protocol"]

    async def has_run(self, times: int = EVENTS) -> None:
        """Wait until it has."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self._client.program(self.program.id)).counters.runs < times:
                pass

    async def traces(self) -> tuple[dict[int, int], bytes | None]:
        """Its runs, if it is still there, and what its map has counted."""
        there = await self._client.programs()
        runs = {each.id: each.counters.runs for each in there if each.id == self.program.id}
        return runs, await self.counts.get(PROTOCOL)


async def loaded(w: World) -> Old:
    """The program, of its own."""
    return Old(w, (await w.client.load(COUNT))["count_by_protocol"])


@pytest.mark.parametrize("stopped", [False, True], ids=["", "stopped"])
@pytest.mark.parametrize("how", ["replace", "detach", "unload"])
async def test_what_is_gone_runs_no_more(tmp_path: Path, how: str, stopped: bool) -> None:
    """Also when the extension stood still meanwhile and goes on with what it had begun."""
    async with world(tmp_path, "--callback-deadline", DEADLINE, "--drain-deadline", DEADLINE) as w:
        async with busy(w) as extension:
            for number in range(ROUNDS):
                old = await loaded(w)
                link = await old.program.attach("sample_ext", parameter=PARAMETER)
                await old.has_run()
                new = await loaded(w)
                if how == "unload":
                    await w.client.pin(f"/map/{number}", old.counts)
                if stopped:
                    extension.send_signal(signal.SIGSTOP)
                if how == "replace":
                    link = await link.replace(new.program)
                else:
                    await link.detach()
                if how == "unload":
                    await old.program.unload()
                traces = await old.traces()
                if stopped:
                    extension.send_signal(signal.SIGCONT)
                if how != "replace":
                    link = await new.program.attach("sample_ext", parameter=PARAMETER)
                await new.has_run()
                assert await old.traces() == traces
                if how != "unload":
                    await old.program.unload()
                await link.detach()
                await new.program.unload()
        codes = set(Counts(w.folder / "counts").tally().codes)
        assert codes <= {Result.SUCCESS, Result.OBJECT_NOT_FOUND, Result.KEY_NOT_FOUND}
