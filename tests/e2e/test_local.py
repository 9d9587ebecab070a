"""Links whose programs run in their hook's process, on the daemon's maps and counters."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.world import PROGRAMS, World, world

SCRIPT: Final = Path(__file__).with_name("local_extension.py")
HOOK: Final = "sample_ext"
MALFORMED: Final = b"\xff" * 4
"""What an event without a packet is counted as."""

DROP: Final = "1"
STATES: Final = ((), ("--state", "state"))
"""Maps in memory, and in files."""


class Told:
    """The extension, and what it is told."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def ask(self, command: str) -> str:
        """Its answer to a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n".encode())
        return await self.answer()

    async def answer(self) -> str:
        """The next line that it says."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            return (await self.process.stdout.readline()).decode().strip()


@asynccontextmanager
async def extension(w: World) -> AsyncGenerator[Told]:
    """The extension, registered, and killed in the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), w.address, stdin=PIPE, stdout=PIPE
    )
    told = Told(process)
    try:
        assert await told.answer() == "ready"
        yield told
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _counted(w: World) -> int:
    """Events that the program has counted, as ``ebpfctl map get`` finds them."""
    maps = await w.client.maps()
    by_protocol = next(each for each in maps if each.name == "by_protocol")
    raw = await by_protocol.get(MALFORMED)
    return 0 if raw is None else int.from_bytes(bytes(raw), "little")


@pytest.mark.parametrize("state", STATES)
async def test_events_run_in_the_hooks_process(tmp_path: Path, state: tuple[str, ...]) -> None:
    """Results, maps and counters are those that the daemon would give; it has seen no message."""
    options = [str(tmp_path / each) if each == "state" else each for each in state]
    async with world(tmp_path, "--local", *options) as w, extension(w) as told:
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await program.attach(HOOK)
        shown = await w.ctl_json("link", "show", str(link.id))
        assert shown["where"] == f"local: in process {told.process.pid}"
        assert await told.ask("now 1000") == DROP
        assert await told.ask("await 10") == DROP
        assert await told.ask("batch 24") == DROP
        assert await _counted(w) == 1034
        shown = await w.ctl_json("link", "show", str(link.id))
        assert (shown["runs"], shown["outcomes"]["success"]) == (1034, 1034)
        await link.detach()
        assert (await told.ask("now 1")).startswith("OBJECT_NOT_FOUND")
        listed = await w.ctl_json("program", "show", str(program.id))
        assert listed["runs"] == 1034


async def test_without_local_the_daemon_runs_it(tmp_path: Path) -> None:
    """The same calls work, but for the one that cannot."""
    async with world(tmp_path) as w, extension(w) as told:
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await program.attach(HOOK)
        shown = await w.ctl_json("link", "show", str(link.id))
        assert shown["where"] == "remote: ebpfd runs without --local"
        assert await told.ask("await 5") == DROP
        refused = await told.ask("now 1")
        assert refused.startswith("OPERATION_NOT_SUPPORTED")
        assert "without --local; await invoke instead" in refused
        assert await _counted(w) == 5


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("helper_implicit_1.o", "of its extension"),
        ("trace.o", "goes to the daemon"),
    ],
)
async def test_what_stays_in_the_daemon_is_said(tmp_path: Path, file: str, why: str) -> None:
    """Such a program is run by the daemon, as ever."""
    async with world(tmp_path, "--local") as w, extension(w) as told:
        loaded = await w.client.load(PROGRAMS / file)
        link = await next(iter(loaded.values())).attach(HOOK)
        shown = await w.ctl_json("link", "show", str(link.id))
        assert shown["where"].startswith("remote: the program calls")
        assert why in shown["where"]
        assert not (await told.ask("await 1")).startswith("OPERATION")


async def test_a_link_that_gets_another_program_is_taken_back(tmp_path: Path) -> None:
    """Events meet the new one in the daemon; what the old one counted stays counted."""
    async with world(tmp_path, "--local") as w, extension(w) as told:
        old = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        new = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await old.attach(HOOK)
        assert await told.ask("now 7") == DROP
        await w.ctl_json("link", "replace", str(link.id), str(new.id))
        assert (await told.ask("now 1")).startswith("OPERATION_NOT_SUPPORTED")
        assert await told.ask("await 3") == DROP
        shown = await w.ctl_json("link", "show", str(link.id))
        assert shown["where"].startswith("remote: the daemon has taken it back")
        assert shown["runs"] == 10


async def test_a_process_that_was_stopped_meanwhile_reaches_nothing(tmp_path: Path) -> None:
    """After the detach has returned, it goes on, and neither map nor counter moves."""
    options = ("--local", "--callback-deadline", "1", "--state", str(tmp_path / "state"))
    async with world(tmp_path, *options) as w, extension(w) as told:
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await program.attach(HOOK)
        assert await told.ask("loop") == "looping"
        while not await _counted(w):
            pass
        os.kill(told.process.pid, signal.SIGSTOP)
        await link.detach()
        counted = await _counted(w)
        runs = (await w.ctl_json("program", "show", str(program.id)))["runs"]
        os.kill(told.process.pid, signal.SIGCONT)
        # It comes to its own end: its detach, or the end of its session.
        for _ in range(20):
            assert await _counted(w) == counted
        assert (await w.ctl_json("program", "show", str(program.id)))["runs"] == runs


async def test_a_killed_process_leaves_maps_and_daemon_sound(tmp_path: Path) -> None:
    """The link waits for its hook, the map takes updates, and the next process goes on."""
    async with world(tmp_path, "--local") as w:
        link = None
        for _ in range(3):
            async with extension(w) as told:
                if link is None:
                    program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
                    link = await program.attach(HOOK)
                while (await told.ask("now 1")) != DROP:
                    pass
                assert await told.ask("loop") == "looping"
                before = await _counted(w)
                while await _counted(w) == before:
                    pass
                told.process.kill()
                await told.process.wait()
            maps = await w.client.maps()
            by_protocol = next(each for each in maps if each.name == "by_protocol")
            await by_protocol.set(b"\x01\x00\x00\x00", bytes(8))
