"""Hosted extensions at the end of the daemon, or their own: nothing is left, and in which order."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from ebpfd_sdk import EbpfdError, ExtensionInfo, ExtensionState, LinkState, Result
from tests.e2e.hosting import (
    DELAY,
    MOODY,
    changes,
    children_of,
    descriptors_of,
    extension,
    hosting,
    moody,
    reach,
    shell,
    told_of,
)
from tests.e2e.test_extension_life import attach_count, until
from tests.e2e.world import SAMPLE, World, world
from tests.packets import UDP


async def all_gone(address: str) -> None:
    """Wait until no process is left that a daemon on *address* has started."""
    async with asyncio.timeout(30):
        while await asyncio.to_thread(told_of, address):
            pass


async def test_they_start_in_order_and_stop_in_the_reverse(tmp_path: Path) -> None:
    """The next starts when the one before has registered, and stops before that one does."""
    async with hosting(tmp_path, moody("a", "fine", 1), moody("b", "fine", 2)) as w:
        w.daemon.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await w.daemon.wait() == 0
        assert changes(w) == [
            ("a", "starting"),
            ("a", "running"),
            ("b", "starting"),
            ("b", "running"),
            ("b", "stopping"),
            ("b", "stopped"),
            ("a", "stopping"),
            ("a", "stopped"),
        ]
        left = [line["extension"] for line in w.log() if line["event"] == "extension left"]
        assert left == ["b", "a"], "each deregistered and took its leave"


@pytest.mark.parametrize("mood", ["fine", "silent"])
async def test_a_daemon_that_is_killed_leaves_no_child(tmp_path: Path, mood: str) -> None:
    """Also one that has no session whose end it could notice."""
    async with hosting(tmp_path, moody("a", mood, start_s=0.5, restart_limit=1000, **DELAY)) as w:
        await reach(w, "a", lambda each: each.process_id > 0)
        w.daemon.kill()
        await w.daemon.wait()
        await all_gone(w.address)


async def test_a_daemon_that_is_killed_at_any_moment_leaves_no_child(tmp_path: Path) -> None:
    """At each line of its log, from the first start to the last."""
    file = tmp_path / "ebpfd.toml"
    crashing = shell("c", "exit 1", restart_limit=1, **DELAY)
    file.write_text(moody("a", "fine", 1) + moody("b", "fine", 2) + crashing)
    most = 0
    for number in range(1, 13):
        address = f"unix:{tmp_path / 'ebpfd.sock'}"
        daemon = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ebpfd", "run", "--listen", address, "--config", str(file),
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert daemon.stderr is not None
        async with asyncio.timeout(30):
            for _ in range(number):
                assert await daemon.stderr.readline()
        most = max(most, len(told_of(address)))
        daemon.kill()
        await daemon.wait()
        await all_gone(address)
    assert most >= 2, "there was somebody to be left"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_the_next_daemon_has_all_of_it_when_it_is_ready(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Extension, program and link, whether the last one crashed or stopped."""
    options = ("--extension", SAMPLE)
    async with world(tmp_path, *options) as w:
        ids = await attach_count(w)
        w.daemon.send_signal(number)
        await w.daemon.wait()
    async with world(tmp_path, *options) as w:
        (link,) = await w.client.links()
        assert (link.program_id, link.id) == ids
        assert link.state is LinkState.ATTACHED
        assert (await w.client.fire("sample_ext", data=UDP)).code is Result.SUCCESS


async def test_a_script_around_an_extension_is_no_hindrance(tmp_path: Path) -> None:
    """It is known by its process session, and goes when the daemon is killed."""
    wrapped = shell("a", f"'{sys.executable}' '{MOODY}' fine; exit 0")
    async with hosting(tmp_path, wrapped) as w:
        each = await extension(w, "a")
        assert each.state is ExtensionState.RUNNING
        assert len(await asyncio.to_thread(told_of, w.address)) == 2
        w.daemon.kill()
        await w.daemon.wait()
        await all_gone(w.address)


async def test_a_daemon_that_stops_while_they_start_does_not_wait(tmp_path: Path) -> None:
    """SIGTERM before the first has registered."""
    address, file = f"unix:{tmp_path / 'ebpfd.sock'}", tmp_path / "ebpfd.toml"
    file.write_text(moody("a", "silent", start_s=600))
    daemon = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ebpfd", "run", "--listen", address, "--config", str(file),
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert daemon.stderr is not None
    async with asyncio.timeout(30):
        while b"says nothing" not in await daemon.stderr.readline():
            pass
        daemon.send_signal(signal.SIGTERM)
        rest = await daemon.stderr.read()
        assert await daemon.wait() == 0
    assert b'"extension stopped"' in rest


async def test_who_follows_its_output_sees_the_end(tmp_path: Path) -> None:
    """When the daemon stops, the command ends well, with the last words in it."""
    async with hosting(tmp_path, moody("a", "fine")) as w:
        ctl = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("ebpfctl"), "--address", w.address,
            "extension", "logs", "-f", "a",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert ctl.stdout is not None
        async with asyncio.timeout(30):
            assert await ctl.stdout.readline()
            w.daemon.send_signal(signal.SIGTERM)
            assert await w.daemon.wait() == 0
            _, complaints = await ctl.communicate()
        assert (ctl.returncode, complaints) == (0, b"")


async def test_what_comes_and_goes_leaves_nothing_behind(tmp_path: Path) -> None:
    """No zombie, no descriptor, after many ends."""
    loop_of_five = shell("a", "exit 1", restart_limit=4, restart_delay_s=0.001)
    async with hosting(tmp_path, loop_of_five) as w:
        failed: Callable[[ExtensionInfo], bool] = lambda each: (  # noqa: E731
            each.state is ExtensionState.FAILED
        )
        await reach(w, "a", failed)
        before = descriptors_of(w.daemon.pid)
        children = set(children_of(w.daemon.pid))
        for _ in range(5):
            with pytest.raises(Exception, match="exit code 1"):
                await w.client.start_extension("a")
            await reach(w, "a", failed)
        assert descriptors_of(w.daemon.pid) == before
        assert set(children_of(w.daemon.pid)) == children


SETTINGS: Final = {"restart_limit": 1000, "restart_delay_s": 0.02, "start_s": 10}
DEEDS: Final = ("kill", "kill", "terminate", "give up", "stop", "start", "restart")


async def do(w: World, deed: str, name: str, chance: float) -> None:
    """One thing that may happen to an extension; that it is refused is no failure."""
    with suppress(EbpfdError, ProcessLookupError, TimeoutError):
        match deed:
            case "kill" | "terminate":
                if pid := (await extension(w, name)).process_id:
                    os.kill(pid, signal.SIGKILL if deed == "kill" else signal.SIGTERM)
            case "give up":
                async with asyncio.timeout(chance * 0.3):
                    await w.client.restart_extension(name)
            case "stop":
                await w.client.stop_extension(name)
            case "start":
                await w.client.start_extension(name)
            case _:
                await w.client.restart_extension(name)


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_happens_at_once_one_process_of_each_is_left(
    tmp_path: Path, seed: int
) -> None:
    """Operators who contradict each other, and processes that die meanwhile."""
    chance = random.Random(seed)
    hosted = (
        moody("a", "fine", 1, stop_s=2, **SETTINGS),
        moody("b", "fine", 2, stop_s=2, **SETTINGS),
        moody("c", "stubborn", 3, stop_s=0.3, **SETTINGS),
    )
    async with hosting(tmp_path, *hosted) as w:
        for _ in range(10):
            async with asyncio.TaskGroup() as at_once:
                for _ in range(4):
                    deed, name = chance.choice(DEEDS), chance.choice("abc")
                    at_once.create_task(do(w, deed, name, chance.random()))
        for name in "abc":
            # It may just be ending, for what was done to it.
            with suppress(EbpfdError):
                await w.client.start_extension(name)

        async def all_is_well() -> bool:
            extensions = await w.client.extensions()
            processes = {each.process_id for each in extensions if len(each.provides) == 2}
            running = await asyncio.to_thread(told_of, w.address)
            return len(processes) == 3 and processes == set(running)

        await until(all_is_well)
        w.daemon.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await w.daemon.wait() == 0
        assert await asyncio.to_thread(told_of, w.address) == []
