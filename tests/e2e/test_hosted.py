"""Extensions that the daemon starts, watches and stops."""

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from ebpfd_sdk import ExtensionInfo, ExtensionState, LinkState, Result
from tests.e2e.test_extension_life import attach_count, until
from tests.e2e.world import SAMPLE, World, command, sample, world
from tests.packets import UDP

MOODY: Final = Path(__file__).with_name("moody_extension.py")
DELAY: Final[dict[str, Any]] = {"restart_delay_s": 0.01}


def moody(name: str, mood: str, number: int = 1, **settings: Any) -> str:
    """A moody extension in a configuration file."""
    lines = {
        "name": name,
        "command": sys.executable,
        "args": [str(MOODY), mood, str(number)],
        **settings,
    }
    # Of the values that we have here, JSON writes what TOML reads.
    return "\n".join(["[[extension]]", *(f"{key} = {json.dumps(lines[key])}" for key in lines), ""])


def shell(name: str, script: str, **settings: Any) -> str:
    """A shell script in a configuration file."""
    lines = {"name": name, "command": "/bin/sh", "args": ["-c", script], **settings}
    return "\n".join(["[[extension]]", *(f"{key} = {json.dumps(lines[key])}" for key in lines), ""])


@asynccontextmanager
async def hosting(folder: Path, *extensions: str) -> AsyncGenerator[World]:
    """A daemon that hosts these, and has tried to start each."""
    file = folder / "ebpfd.toml"
    file.write_text("\n".join(extensions))
    async with world(folder, "--config", str(file)) as w:
        yield w


async def extension(w: World, name: str) -> ExtensionInfo:
    """What the daemon says of one."""
    return next(each for each in await w.client.extensions() if each.name == name)


async def reach(w: World, name: str, good: Callable[[ExtensionInfo], bool]) -> ExtensionInfo:
    """Wait until it is as it should be."""

    async def is_good() -> bool:
        return good(await extension(w, name))

    await until(is_good)
    return await extension(w, name)


async def said(w: World, name: str, text: str) -> None:
    """Wait until an extension has written a line."""
    lines = w.client.extension_output(name, follow=True)
    async with asyncio.timeout(30), aclosing(lines):
        async for line in lines:
            if line.text == text:
                return


async def ended(descriptor: int) -> None:
    """Wait for the end of the process behind a pidfd, and close that."""
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, end.set)
    try:
        async with asyncio.timeout(30):
            await end.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def changes(w: World) -> list[tuple[str, str]]:
    """Which extension came into which state, in the log's order."""
    of_event = {"extension stopped": "stopped", "extension failed": "failed"}
    return [
        (line["extension"], of_event.get(line["event"]) or line.get("state", ""))
        for line in w.log()
        if line["event"] in ("extension state", *of_event)
    ]


def children_of(process_id: int) -> list[int]:
    """Its child processes, also those that have ended and wait to be noticed."""
    tasks = Path(f"/proc/{process_id}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def descriptors_of(process_id: int) -> int:
    """How many it has open."""
    return len(list(Path(f"/proc/{process_id}/fd").iterdir()))


def told_of(address: str) -> list[int]:
    """Processes that run, and were told that their daemon is there."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        # It may end meanwhile, or be somebody else's; of one that has ended, nothing is there.
        with suppress(OSError):
            if f"EBPFD_ADDRESS={address}\0".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def log_size(w: World) -> int:
    """Bytes in the daemon's log."""
    return (w.folder / "daemon.log").stat().st_size


async def test_an_option_is_enough(tmp_path: Path) -> None:
    """``--extension``: it is there when the daemon says that it serves, and registers as any."""
    async with world(tmp_path, "--extension", f"{SAMPLE} --window 16") as w:
        program_id, link_id = await attach_count(w)
        answer = await w.client.fire("sample_ext", data=UDP)
        assert answer.code is Result.SUCCESS
        listed = await w.ctl_json("extension", "list")
        (each,) = listed
        assert (each["name"], each["hosted"], each["state"]) == ("sample", True, "running")
        assert [module["name"] for module in each["provides"]] == ["sample", "sample_ext"]
        assert each["resident_bytes"] > 1 << 20
        assert (program_id, link_id) > (0, 0)
        owners = {provider.owner for provider in await w.client.providers()}
        assert owners == {"daemon", "sample"}


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


async def test_one_that_dies_is_started_again_and_its_links_bind_again(tmp_path: Path) -> None:
    """Nobody does anything."""
    async with world(tmp_path, "--extension", SAMPLE) as w:
        _, link_id = await attach_count(w)
        before = await extension(w, "sample")
        os.kill(before.process_id, signal.SIGKILL)
        after = await reach(w, "sample", lambda each: each.restarts == 1)
        after = await reach(w, "sample", lambda each: each.state is ExtensionState.RUNNING)
        assert after.process_id != before.process_id
        assert after.reason == "ended by SIGKILL"

        async def attached() -> bool:
            (link,) = await w.client.links()
            return link.id == link_id and link.state is LinkState.ATTACHED

        await until(attached)
        assert (await w.client.fire("sample_ext", data=UDP)).code is Result.SUCCESS


async def test_one_that_dies_again_and_again_has_failed(tmp_path: Path) -> None:
    """The others go on; what it said last is the reason; a start by hand tries anew."""
    bad = shell("bad", "echo 'no licence' >&2; exit 3", restart_limit=2, **DELAY)
    async with hosting(tmp_path, bad, moody("good", "fine")) as w:
        failed = await reach(w, "bad", lambda each: each.state is ExtensionState.FAILED)
        assert (
            failed.reason == "ended 3 times in a row; at last: ended with exit code 3: no licence"
        )
        assert (failed.restarts, failed.process_id) == (2, 0)
        assert (await extension(w, "good")).state is ExtensionState.RUNNING
        ran = await w.ctl("-o", "json", "extension", "start", "bad")
        assert ran.code == 1
        assert ran.error()["name"] == "EXTENSION_FAILED_TO_LOAD"
        assert "exit code 3: no licence" in ran.error()["message"]
        lines = (await w.ctl("-o", "json", "extension", "logs", "bad")).out.splitlines()
        assert {json.loads(line)["text"] for line in lines} == {"no licence"}
        assert {json.loads(line)["stream"] for line in lines} == {"stderr"}


async def test_one_that_cannot_be_run_says_why(tmp_path: Path) -> None:
    """A command that is not there is no reason for the daemon not to start."""
    missing = '[[extension]]\nname = "missing"\ncommand = "/no/such/command"\nrestart = "never"\n'
    async with hosting(tmp_path, missing) as w:
        failed = await extension(w, "missing")
        assert failed.state is ExtensionState.FAILED
        assert "cannot run /no/such/command: No such file or directory" in failed.reason


async def test_the_operator_stops_and_starts(tmp_path: Path) -> None:
    """What is stopped stays stopped, and a restart is another process."""
    async with hosting(tmp_path, moody("a", "fine")) as w:
        first = await extension(w, "a")
        end = os.pidfd_open(first.process_id)
        (stopped,) = await w.ctl_json("extension", "stop", "a")
        assert (stopped["state"], stopped["process_id"]) == ("stopped", 0)
        await ended(end)
        assert [provider.owner for provider in await w.client.providers()] == ["daemon"]
        (started,) = await w.ctl_json("extension", "start", "a")
        assert started["state"] == "running"
        (again,) = await w.ctl_json("extension", "restart", "a")
        assert again["state"] == "running"
        assert len({first.process_id, started["process_id"], again["process_id"]}) == 3


async def test_links_wait_while_it_is_stopped(tmp_path: Path) -> None:
    """And bind again when it is started."""
    async with world(tmp_path, "--extension", SAMPLE) as w:
        await attach_count(w)
        await w.client.stop_extension("sample")
        (link,) = await w.client.links()
        assert link.state is LinkState.WAITING
        assert (await w.client.fire("sample_ext", data=UDP)).code is not Result.SUCCESS
        await w.client.start_extension("sample")
        (link,) = await w.client.links()
        assert link.state is LinkState.ATTACHED
        assert (await w.client.fire("sample_ext", data=UDP)).code is Result.SUCCESS


async def test_others_are_listed_and_left_alone(tmp_path: Path) -> None:
    """An extension that somebody else started is connected, and not the daemon's to stop."""
    async with hosting(tmp_path, moody("ours", "fine")) as w, sample(w) as process:
        ours, other = await w.client.extensions()
        assert (ours.name, ours.hosted) == ("ours", True)
        assert (other.name, other.hosted) == ("sample", False)
        assert (other.state, other.process_id) == (ExtensionState.CONNECTED, process.pid)
        assert [module.module_name for module in other.provides] == ["sample", "sample_ext"]
        ran = await w.ctl("-o", "json", "extension", "stop", "sample")
        assert ran.error()["name"] == "OBJECT_NOT_FOUND"
        rows = (await w.ctl("extension", "list")).out.splitlines()
        assert [row.split()[:3] for row in rows[1:]] == [
            ["ours", "yes", "running"],
            ["sample", "no", "connected"],
        ]


async def test_a_flood_of_output_drowns_nobody(tmp_path: Path) -> None:
    """It is read as fast as the log may grow, and the rest waits in the pipe."""
    flood = shell("flood", "exec yes 'and so on'", start_s=1)
    began_s = asyncio.get_running_loop().time()
    async with hosting(tmp_path, flood, moody("calm", "fine")) as w:
        for _ in range(100):
            assert (await extension(w, "calm")).state is ExtensionState.RUNNING
        lines = [line async for line in w.client.extension_output("flood")]
        assert {line.text for line in lines} <= {"and so on", "and so", "on", "and"}
        assert 0 < len(lines) <= 1024
        took_s = asyncio.get_running_loop().time() - began_s
        assert log_size(w) < (took_s + 2) * (1 << 20)


async def test_a_name_that_is_nobody_s_is_refused(tmp_path: Path) -> None:
    """Each command says so."""
    async with world(tmp_path) as w:
        for words in (["start"], ["stop"], ["restart"], ["logs"], ["logs", "-f"]):
            ran = await w.ctl("-o", "json", "extension", *words, "nobody")
            assert (ran.code, ran.error()["name"]) == (1, "OBJECT_NOT_FOUND")
            assert "this daemon hosts no extension 'nobody'" in ran.error()["message"]


async def test_one_that_does_not_leave_is_killed(tmp_path: Path) -> None:
    """After the time it has, which the operator can make shorter."""
    async with hosting(tmp_path, moody("a", "stubborn", stop_s=60)) as w:
        await said(w, "a", "stubborn a")
        end = os.pidfd_open((await extension(w, "a")).process_id)
        (stopped,) = await w.ctl_json("extension", "stop", "a", "--within", "0.1")
        assert stopped["state"] == "stopped"
        await ended(end)


async def test_one_that_never_registers_holds_nobody_up(tmp_path: Path) -> None:
    """It is killed after its time, and the next one starts."""
    silent = moody("silent", "silent", start_s=0.5, restart_limit=0)
    async with hosting(tmp_path, silent, moody("next", "fine", 2)) as w:
        assert (await extension(w, "next")).state is ExtensionState.RUNNING
        failed = await reach(w, "silent", lambda each: each.state is ExtensionState.FAILED)
        assert failed.reason == "ended once; at last: did not register within 0.5 s"


@pytest.mark.parametrize("mood", ["fine", "silent"])
async def test_a_daemon_that_is_killed_leaves_no_child(tmp_path: Path, mood: str) -> None:
    """Also one that has no session whose end it could notice."""
    async with hosting(tmp_path, moody("a", mood, start_s=0.5, restart_limit=1000, **DELAY)) as w:
        running = await reach(w, "a", lambda each: each.process_id > 0)
        end = os.pidfd_open(running.process_id)
        w.daemon.kill()
        await w.daemon.wait()
        await ended(end)


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
        async with asyncio.timeout(30):
            while await asyncio.to_thread(told_of, address):
                pass
    assert most >= 2, "there was somebody to be left"


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


async def test_limits_hold(tmp_path: Path) -> None:
    """Memory, priority and processors, as the system sees them."""
    limited = moody("a", "hungry", memory="512 MiB", nice=7, cpus=[0])
    async with hosting(tmp_path, limited) as w:
        each = await reach(w, "a", lambda each: each.state is ExtensionState.RUNNING)
        pid = each.process_id
        assert resource.prlimit(pid, resource.RLIMIT_DATA) == (512 << 20, 512 << 20)
        own = os.getpriority(os.PRIO_PROCESS, w.daemon.pid)
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(own + 7, 19)
        assert os.sched_getaffinity(pid) == {0}
        await said(w, "a", "no gibibyte for me")


async def test_what_it_writes_is_in_the_daemon_s_log_and_can_be_followed(tmp_path: Path) -> None:
    """Under its name; whoever follows sees the lines of the next process too."""
    async with hosting(tmp_path, moody("talker", "fine")) as w:
        lines = w.client.extension_output("talker", follow=True)
        async with asyncio.timeout(30), aclosing(lines):
            texts = [(await anext(lines)).text for _ in range(2)]
            assert "fine talker" in texts
            await w.client.restart_extension("talker")
            texts = [(await anext(lines)).text for _ in range(2)]
            assert "fine talker" in texts
        logged = [line for line in w.log() if line["event"] == "extension output"]
        assert {line["extension"] for line in logged} == {"talker"}
        assert "fine talker" in [line["text"] for line in logged]


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


async def test_a_bad_setting_is_one_clear_error(tmp_path: Path) -> None:
    """And nothing starts."""
    file = tmp_path / "ebpfd.toml"
    file.write_text(moody("a", "fine", memory_limit="1 GiB"))
    ran = await command("ebpfd", "run", "--config", str(file))
    assert ran.code == 2
    assert "extension 1, memory_limit: there is no such key here" in ran.err
    assert "Traceback" not in ran.err
