"""Nothing of a program that is gone runs any more, however many events are on their way.

``EBPFD_ROUNDS=1000`` does each so often, else it is once; ``EBPFD_PATIENCE_S=0.3`` makes rounds
quick in which somebody is waited for in vain, where the machine has nothing else to do.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import pytest

from ebpfd_sdk import AttachedLink, EbpfdError, Program, Result
from tests.e2e.faults.client import COUNT
from tests.e2e.faults.extension import PARAMETER, Counts
from tests.e2e.world import PATIENCE_S, World, world
from tests.packets import UDP

T = TypeVar("T")

ROUNDS: Final = int(os.environ.get("EBPFD_ROUNDS", "1"))
MANY: Final = 50
"""Rounds in which each of two ways is met."""

EVENTS: Final = 100
"""Of its successor, before the old program is looked at again: what was sent to it has arrived."""

PROTOCOL: Final = 17

DEADLINE_S: Final = os.environ.get("EBPFD_PATIENCE_S", "3")
"""What a stopped extension is waited for."""

LOCAL: Final = f"local = true\n[deadlines]\nlocal_s = {min(float(DEADLINE_S), 1.0)}\n"
"""The daemon's configuration if programs run in the extension; what is inside ends in no time."""

EXTENSIONS: Final = {"remote": "extension", "local": "local_extension"}
LEFT_BEHIND: Final = "a process is left behind that did not leave a program"


@asynccontextmanager
async def busy(w: World, where: str) -> AsyncGenerator[Process]:
    """An extension with calls in flight whenever something is attached."""
    assert UDP[23] == PROTOCOL
    with (w.folder / "extension.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"tests.e2e.faults.{EXTENSIONS[where]}"),
            *(str(w.folder / "counts"), w.address),
            stdin=DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        async with asyncio.timeout(10 * PATIENCE_S):
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

    async def attach(self) -> AttachedLink:
        """Attach it."""
        return await taken(lambda: self.program.attach("sample_ext", parameter=PARAMETER))

    async def has_run(self, times: int = EVENTS) -> None:
        """Wait until it has."""
        async with asyncio.timeout(10 * PATIENCE_S):
            while (await self._client.program(self.program.id)).counters.runs < times:
                pass

    async def traces(self) -> tuple[dict[int, int], bytes | None]:
        """Its runs, if it is still there, and what its map has counted."""
        there = await self._client.programs()
        runs = {each.id: each.counters.runs for each in there if each.id == self.program.id}
        return runs, await self.counts.get(PROTOCOL)


async def loaded(w: World) -> Old:
    """The program, of its own."""
    return Old(w, (await taken(lambda: w.client.load(COUNT)))["count_by_protocol"])


async def taken(ask: Callable[[], Awaitable[T]]) -> T:
    """What comes of it; an extension that does not answer in time is asked again."""
    async with asyncio.timeout(10 * PATIENCE_S):
        while True:
            try:
                return await ask()
            except EbpfdError as error:
                # Late, it takes the old one, is told that it may not, and then takes another.
                if not any(why in str(error) for why in ("taken as refused", "attached with")):
                    raise


@pytest.mark.parametrize("stopped", [False, True], ids=["", "stopped"])
@pytest.mark.parametrize("how", ["replace", "detach", "unload"])
@pytest.mark.parametrize("where", ["remote", "local"])
async def test_what_is_gone_runs_no_more(
    tmp_path: Path, where: str, how: str, stopped: bool
) -> None:
    """Also when the extension stood still meanwhile and goes on with what it had begun."""
    config = tmp_path / "ebpfd.toml"
    config.write_text(LOCAL if where == "local" else "")
    deadlines = ("--callback-deadline", DEADLINE_S, "--drain-deadline", DEADLINE_S)
    async with world(tmp_path, "--config", str(config), *deadlines) as w:
        async with busy(w, where) as extension:
            for number in range(ROUNDS):
                old = await loaded(w)
                link = await old.attach()
                assert link.where.startswith(where)
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
                    link = await new.attach()
                await new.has_run()
                assert await old.traces() == traces
                if how != "unload":
                    await old.program.unload()
                await link.detach()
                await new.program.unload()
        codes = set(Counts(w.folder / "counts").tally().codes)
        assert codes <= {Result.SUCCESS, Result.OBJECT_NOT_FOUND, Result.KEY_NOT_FOUND}
        if where == "local" and stopped and ROUNDS >= MANY:
            inside = sum(each["event"] == LEFT_BEHIND for each in w.log())
            assert ROUNDS / 10 < inside < ROUNDS * 9 / 10, "stopped in the program, and beside it"
