"""Links whose programs run in their hook's process, on the daemon's maps and counters."""

import asyncio
import os
import signal
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from ebpfd_sdk.testing import until
from tests.e2e import told
from tests.e2e.told import Told
from tests.e2e.world import PATIENCE_S, PROGRAMS, STATES, World, world

OWN: Final = Path(__file__).with_name("programs")
HOOK: Final = "sample_ext"
MALFORMED: Final = b"\xff" * 4
"""What an event without a packet is counted as."""

DROP: Final = "1"


def extension(w: World) -> AbstractAsyncContextManager[Told]:
    """The extension, registered, and killed in the end."""
    return told.extension(w, "local_extension")


async def _counted(w: World) -> int:
    """Events that the program has counted, as ``ebpfctl map get`` finds them."""
    maps = await w.client.maps()
    by_protocol = next(each for each in maps if each.name == "by_protocol")
    raw = await by_protocol.get(MALFORMED)
    return 0 if raw is None else int.from_bytes(bytes(raw), "little")


async def _counts(w: World, beyond: int = 0) -> bool:
    return await _counted(w) > beyond


async def _drops(its: Told) -> bool:
    return await its.ask("now 1") == DROP


@pytest.mark.parametrize("state", STATES)
async def test_events_run_in_the_hooks_process(tmp_path: Path, state: str) -> None:
    """Results, maps and counters are those that the daemon would give; it has seen no message."""
    async with world(tmp_path, "--local", *STATES[state]) as w, extension(w) as its:
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await program.attach(HOOK)
        shown = await w.ctl_json("link", "show", str(link.id))
        assert shown["where"] == f"local: in process {its.process.pid}"
        assert await its.ask("now 1000") == DROP
        assert await its.ask("await 10") == DROP
        assert await its.ask("batch 24") == DROP
        assert await _counted(w) == 1034
        shown = await w.ctl_json("link", "show", str(link.id))
        assert (shown["runs"], shown["outcomes"]["success"]) == (1034, 1034)
        await link.detach()
        assert (await its.ask("now 1")).startswith("OBJECT_NOT_FOUND")
        listed = await w.ctl_json("program", "show", str(program.id))
        assert listed["runs"] == 1034


async def test_without_local_the_daemon_runs_it(tmp_path: Path) -> None:
    """The same calls work, but for the one that cannot."""
    async with world(tmp_path) as w, extension(w) as its:
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await program.attach(HOOK)
        shown = await w.ctl_json("link", "show", str(link.id))
        assert shown["where"] == "remote: ebpfd runs without --local"
        assert await its.ask("await 5") == DROP
        refused = await its.ask("now 1")
        assert refused.startswith("OPERATION_NOT_SUPPORTED")
        assert "without --local; await invoke instead" in refused
        assert await _counted(w) == 5


async def test_what_stays_in_the_daemon_is_said(tmp_path: Path) -> None:
    """Such a program is run by the daemon, as ever."""
    async with world(tmp_path, "--local") as w, extension(w) as its:
        loaded = await w.client.load(OWN / "emptying.o")
        link = await loaded["emptying"].attach(HOOK)
        shown = await w.ctl_json("link", "show", str(link.id))
        said = "remote: program emptying may take programs out of stations"
        assert shown["where"].startswith(said)
        assert await its.ask("await 1") == "4"


async def _here_again(w: World, its: Told, link: int) -> None:
    """Wait until the hook's process runs the link."""
    async with asyncio.timeout(PATIENCE_S):
        while (await its.ask("now 1")).startswith("OPERATION_NOT_SUPPORTED"):
            pass
    shown = await w.ctl_json("link", "show", str(link))
    assert shown["where"] == f"local: in process {its.process.pid}"


async def test_a_link_that_gets_another_program_is_taken_back_and_handed_over_again(
    tmp_path: Path,
) -> None:
    """Events meet the new one as soon as it is attached; what the old one counted stays counted."""
    async with world(tmp_path, "--local") as w, extension(w) as its:
        old = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        new = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await old.attach(HOOK)
        assert await its.ask("now 7") == DROP
        await w.ctl_json("link", "replace", str(link.id), str(new.id))
        assert await its.ask("await 3") == DROP
        await _here_again(w, its, link.id)
        assert await its.ask("await 3") == DROP
        assert await its.ask("programs") == str(new.id)
        shown = await w.ctl_json("link", "show", str(link.id))
        assert shown["runs"] == 14
        runs = [(await w.client.program(each.id)).counters.runs for each in (old, new)]
        assert runs == [7, 7]


async def test_what_keeps_a_link_in_the_daemon_for_a_while_ends(tmp_path: Path) -> None:
    """A breaker, or a shadow: afterwards its process runs it again."""
    async with world(tmp_path, "--local") as w, extension(w) as its:
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await program.attach(HOOK)
        await w.ctl("link", "set-policy", str(link.id), "--break-after", "5", "--retry-after", "1")
        assert (await its.ask("now 1")).startswith("OPERATION_NOT_SUPPORTED")
        shown = await w.ctl_json("link", "show", str(link.id))
        assert shown["where"].startswith("remote: it has a breaker")
        await w.ctl("link", "set-policy", str(link.id), "--break-after", "0")
        await _here_again(w, its, link.id)
        shadow = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        await w.ctl("link", "shadow", "set", str(link.id), str(shadow.id))
        assert (await its.ask("now 1")).startswith("OPERATION_NOT_SUPPORTED")
        await w.ctl("link", "shadow", "clear", str(link.id))
        await _here_again(w, its, link.id)


async def test_a_process_that_was_stopped_meanwhile_reaches_nothing(tmp_path: Path) -> None:
    """After the detach has returned, it goes on, and neither map nor counter moves."""
    options = ("--local", "--callback-deadline", "1")
    async with world(tmp_path, *options) as w, extension(w) as its:
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await program.attach(HOOK)
        assert await its.ask("loop") == "looping"
        await until(partial(_counts, w))
        os.kill(its.process.pid, signal.SIGSTOP)
        await link.detach()
        counted = await _counted(w)
        runs = (await w.ctl_json("program", "show", str(program.id)))["runs"]
        os.kill(its.process.pid, signal.SIGCONT)
        # It comes to its own end: its detach, or the end of its session.
        for _ in range(20):
            assert await _counted(w) == counted
        assert (await w.ctl_json("program", "show", str(program.id)))["runs"] == runs


async def test_a_killed_process_leaves_maps_and_daemon_sound(tmp_path: Path) -> None:
    """The link waits for its hook, the map takes updates, and the next process goes on."""
    async with world(tmp_path, "--local") as w:
        link = None
        for _ in range(3):
            async with extension(w) as its:
                if link is None:
                    program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
                    link = await program.attach(HOOK)
                await until(partial(_drops, its))
                assert await its.ask("loop") == "looping"
                before = await _counted(w)
                await until(partial(_counts, w, before))
                await its.kill()
            maps = await w.client.maps()
            by_protocol = next(each for each in maps if each.name == "by_protocol")
            await by_protocol.set(b"\x01\x00\x00\x00", bytes(8))
