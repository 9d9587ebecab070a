"""Extensions that the daemon starts and watches, and what operators do with them."""

import asyncio
import json
import os
import resource
import signal
from contextlib import aclosing
from pathlib import Path

from ebpfd_sdk import ExtensionState, LinkState, Result
from tests.e2e.hosting import (
    DELAY,
    ended,
    extension,
    hosting,
    log_size,
    moody,
    reach,
    said,
    shell,
)
from tests.e2e.test_extension_life import attach_count, until
from tests.e2e.world import SAMPLE, command, sample, world
from tests.packets import UDP


async def test_an_option_is_enough(tmp_path: Path) -> None:
    """``--extension``: it is there when the daemon says that it serves, and registers as any."""
    async with world(tmp_path, "--extension", f"{SAMPLE} --window 16") as w:
        program_id, link_id = await attach_count(w)
        answer = await w.client.fire("sample_ext", data=UDP)
        assert answer.code is Result.SUCCESS
        listed = await w.ctl_json("extension", "list")
        (each,) = listed
        assert (each["name"], each["hosted"], each["state"]) == ("sample", True, "running")
        assert [module["module"] for module in each["provides"]] == ["sample", "sample_ext"]
        assert each["resident_bytes"] > 1 << 20
        assert (program_id, link_id) > (0, 0)
        owners = {provider.owner for provider in await w.client.providers()}
        assert owners == {"daemon", "sample"}


async def test_one_that_dies_is_started_again_and_its_links_bind_again(tmp_path: Path) -> None:
    """Nobody does anything."""
    async with world(tmp_path, "--extension", SAMPLE) as w:
        _, link_id = await attach_count(w)
        before = await extension(w, "sample")
        os.kill(before.process_id, signal.SIGKILL)
        after = await reach(w, "sample", lambda each: each.restarts >= 1)
        after = await reach(w, "sample", lambda each: each.state is ExtensionState.RUNNING)
        assert after.process_id != before.process_id
        assert after.reason == "ended by SIGKILL"

        async def attached() -> bool:
            (link,) = await w.client.links()
            return link.id == link_id and link.state is LinkState.ATTACHED

        await until(attached)
        assert (await w.client.fire("sample_ext", data=UDP)).code is Result.SUCCESS


async def test_one_that_hangs_is_killed_and_started_again(tmp_path: Path) -> None:
    """Its lease ends, and with it its session; then it has no more time than at its start."""
    hanging = "[deadlines]\nlease_s = 2\n" + moody("a", "fine", start_s=5)
    async with hosting(tmp_path, hanging) as w:
        before = await extension(w, "a")
        os.kill(before.process_id, signal.SIGSTOP)
        await reach(w, "a", lambda each: each.restarts >= 1)
        after = await reach(w, "a", lambda each: each.state is ExtensionState.RUNNING)
        assert after.process_id != before.process_id
        assert after.reason == "did not register within 5 s"


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
        assert log_size(w) < (took_s + 2) * (100 << 10)
        assert any(
            "lines not logged: `ebpfctl extension logs flood`" in each["event"] for each in w.log()
        )


async def test_a_name_that_is_nobody_s_is_refused(tmp_path: Path) -> None:
    """Each command says so."""
    async with world(tmp_path) as w:
        for words in (["start"], ["stop"], ["restart"], ["logs"], ["logs", "-f"]):
            ran = await w.ctl("-o", "json", "extension", *words, "nobody")
            assert (ran.code, ran.error()["name"]) == (1, "OBJECT_NOT_FOUND")
            assert ran.error()["message"].startswith("this daemon hosts no extension 'nobody'")


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


async def test_limits_hold(tmp_path: Path) -> None:
    """Memory, priority and processors, as the system sees them."""
    processor = min(os.sched_getaffinity(0))
    limited = moody("a", "hungry", memory="512 MiB", nice=7, cpus=[processor])
    async with hosting(tmp_path, limited) as w:
        each = await reach(w, "a", lambda each: each.state is ExtensionState.RUNNING)
        pid = each.process_id
        assert resource.prlimit(pid, resource.RLIMIT_DATA) == (512 << 20, 512 << 20)
        own = os.getpriority(os.PRIO_PROCESS, w.daemon.pid)
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(own + 7, 19)
        assert os.sched_getaffinity(pid) == {processor}
        await said(w, "a", "no gibibyte for me")


async def test_processors_that_are_not_there_are_named(tmp_path: Path) -> None:
    """With the key that wants them."""
    async with hosting(tmp_path, moody("a", "fine", cpus=[4000], restart_limit=0)) as w:
        failed = await reach(w, "a", lambda each: each.state is ExtensionState.FAILED)
        assert "cpus: it may run on none of [4000]; there are " in failed.reason


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


async def test_a_bad_setting_is_one_clear_error(tmp_path: Path) -> None:
    """And nothing starts."""
    file = tmp_path / "ebpfd.toml"
    file.write_text(moody("a", "fine", memory_limit="1 GiB"))
    ran = await command("ebpfd", "run", "--config", str(file))
    assert ran.code == 2
    assert "extension 1, memory_limit: there is no such key here" in ran.err
    assert "Traceback" not in ran.err
