"""Child processes: what they say, how they end, and that nothing of them is left."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ebpfd.host.extensions.process import ChildProcess, Starter, resident_bytes
from ebpfd.host.extensions.spec import ExtensionSpec


class Heard:
    """The lines of a child."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.more = asyncio.Event()

    def line(self, stream: str, text: str) -> None:
        """It wrote one."""
        self.lines.append((stream, text))
        self.more.set()

    async def first(self) -> str:
        """The first of them."""
        async with asyncio.timeout(30):
            while not self.lines:
                self.more.clear()
                await self.more.wait()
        return self.lines[0][1]


@asynccontextmanager
async def starter() -> AsyncGenerator[Starter]:
    """Starts children; no descriptor is left open."""
    before = _descriptors()
    starting = Starter()
    try:
        yield starting
    finally:
        starting.close()
    assert _descriptors() == before


async def start(starting: Starter, script: str, heard: Heard) -> ChildProcess:
    """A shell that runs *script*."""
    spec = ExtensionSpec("child", ("/bin/sh", "-c", script))
    return await starting.start(spec, dict(os.environ), heard.line)


async def test_what_it_says_is_heard_to_the_end() -> None:
    """Both streams, and the last line without an end."""
    heard = Heard()
    async with starter() as starting:
        child = await start(starting, "echo one; printf two; echo three >&2; exit 4", heard)
        assert await child.ended() == 4
    assert sorted(heard.lines) == [("stderr", "three"), ("stdout", "one"), ("stdout", "two")]
    assert _is_gone(child.pid)


async def test_a_signal_is_for_the_child_and_a_kill_for_all_that_it_started() -> None:
    """No grandchild outlives it."""
    heard = Heard()
    async with starter() as starting:
        child = await start(starting, "sleep 1000 & echo $!; wait", heard)
        ended = asyncio.create_task(child.ended())
        grandchild = int(await heard.first())
        child.signal(signal.SIGTERM)
        assert await ended == -signal.SIGTERM
        await _see_it_go(grandchild)
        child.signal(signal.SIGTERM)
        child.kill()


async def test_who_stops_waiting_ends_the_child() -> None:
    """As the daemon does at its end."""
    heard = Heard()
    async with starter() as starting:
        child = await start(starting, "echo here; exec sleep 1000", heard)
        ended = asyncio.create_task(child.ended())
        await heard.first()
        assert await asyncio.to_thread(resident_bytes, child.pid) > 0
        ended.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ended
    assert _is_gone(child.pid)
    assert await asyncio.to_thread(resident_bytes, child.pid) == 0


async def test_a_child_that_cannot_be_watched_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of descriptors: it is ended again, and whoever asked hears why."""
    pids: list[int] = []

    def full(pid: int) -> int:
        pids.append(pid)
        raise OSError(24, "Too many open files")

    async with starter() as starting:
        monkeypatch.setattr(os, "pidfd_open", full)
        with pytest.raises(OSError, match="Too many open files"):
            await start(starting, "exec sleep 1000", Heard())
    assert _is_gone(*pids)


async def test_no_descriptor_of_the_daemon_s_is_handed_on() -> None:
    """Not even those that are not marked; and its environment is what was said."""
    heard = Heard()
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    script = "import os; print(sorted(os.listdir('/proc/self/fd'), key=int)[:-1])"
    spec = ExtensionSpec("child", (sys.executable, "-c", script))
    async with starter() as starting:
        child = await starting.start(spec, {}, heard.line)
        assert await child.ended() == 0
    os.close(reading)
    os.close(writing)
    assert heard.lines == [("stdout", "['0', '1', '2']")]


def _descriptors() -> set[str]:
    return {each.name for each in Path("/proc/self/fd").iterdir()}


def _is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def _see_it_go(pid: int) -> None:
    """It may be nobody's child any more: then whoever adopts it waits for it, sooner or later."""
    async with asyncio.timeout(30):
        while not _has_ended(pid):
            await asyncio.to_thread(os.sched_yield)


def _has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
