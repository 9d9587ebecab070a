"""What an operator meets when something around the daemon is not as it should be."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from ebpfd.cli.children import ready_socket
from ebpfd_sdk import Client, EbpfdError, MapType
from tests.daemon.store.states import made
from tests.e2e.world import PATIENCE_S, command, world


@asynccontextmanager
async def daemon(folder: Path, *options: str, stderr: int) -> AsyncGenerator[Process]:
    """A daemon that has said that it serves; its log goes where a test wants it."""
    loop = asyncio.get_running_loop()
    with ready_socket(folder / "ready.sock") as ready:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ebpfd", "run", "--listen", f"unix:{folder / 'ebpfd.sock'}",
            *options, stderr=stderr,
            env={**os.environ, "NOTIFY_SOCKET": str(folder / "ready.sock")},
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE_S):
                assert await loop.sock_recv(ready, 64) == b"READY=1"
            yield child
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()


async def stopped(child: Process) -> int:
    """Its exit code when it is told to stop."""
    child.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE_S):
        return await child.wait()


async def test_a_log_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    """The disk is full: what is asked for is done, lines are counted, and the end is a good one."""
    metrics = tmp_path / "metrics.sock"
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        async with daemon(tmp_path, "-v", "--metrics", f"unix:{metrics}", stderr=full) as child:
            async with Client(f"unix:{tmp_path}/ebpfd.sock") as client:
                made = await client.create_map(MapType.HASH, 4, 8, 1, name="a")
                await made.remove()
            reader, writer = await asyncio.open_unix_connection(metrics)
            writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
            page = (await reader.read()).decode()
            writer.close()
            (lost,) = [
                line for line in page.splitlines() if line.startswith("ebpfd_log_lost_lines_total ")
            ]
            assert float(lost.split()[1]) > 0
            assert await stopped(child) == 0
    finally:
        os.close(full)


async def test_a_reader_of_the_log_who_has_stopped_holds_nobody_up(tmp_path: Path) -> None:
    """Neither who asks for changes, nor the end."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):  # its reader has stopped long ago
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    async with daemon(tmp_path, stderr=writer) as child:
        async with Client(f"unix:{tmp_path}/ebpfd.sock") as client:
            await client.create_map(MapType.HASH, 4, 8, 1, name="a")
        assert await stopped(child) == 0
    os.close(writer)
    os.close(reader)


async def test_the_log_tells_of_failures_without_the_variables_around_them() -> None:
    """Contents of maps and keys are among them."""
    script = (
        "from ebpfd.app.logs import configure_logs\n"
        "import structlog\n"
        "configure_logs()\n"
        "def fail(secret):\n"
        "    try:\n"
        "        1 / 0\n"
        "    except ZeroDivisionError:\n"
        "        structlog.get_logger().exception('failed')\n"
        "fail(str(6 * 7) + '-secret')\n"
    )
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stderr=PIPE)
    _, said = await child.communicate()
    assert b"ZeroDivisionError" in said
    assert b"42-secret" not in said


async def test_a_refusal_is_a_line_of_the_log(tmp_path: Path) -> None:
    """Of level error, with the cause alone: with an audit log as without one."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "maps").touch()
    where = ("--listen", f"unix:{tmp_path}/a", "--state", f"{tmp_path}/state")
    for options in ((), ("--audit", f"{tmp_path}/audit")):
        ran = await command("ebpfd", "run", *where, *options)
        assert ran.code == 1
        line = json.loads(ran.err.splitlines()[-1])
        assert (line["level"], line["event"]) == ("error", "not started")
        assert line["reason"] == f"{tmp_path}/state/maps: File exists"
    ran = await command("ebpfd", "run", "--listen", "localhost:1")
    assert (ran.code, json.loads(ran.err)["level"]) == (2, "error")


async def test_a_hangup_before_it_serves_or_without_an_audit_log_changes_nothing(
    tmp_path: Path,
) -> None:
    """It is asked to open its audit log anew, of which it may have none."""
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    try:
        async with daemon(tmp_path, stderr=log) as child:
            child.send_signal(signal.SIGHUP)
            async with Client(f"unix:{tmp_path}/ebpfd.sock") as client:
                assert await client.programs() == ()
            assert await stopped(child) == 0
    finally:
        os.close(log)


async def test_the_log_says_what_serves(tmp_path: Path) -> None:
    """Its version, and what it was told: who looks for a fault did not start it himself."""
    async with world(tmp_path) as w:
        w.daemon.terminate()
        await w.daemon.wait()
        (line,) = [line for line in w.log() if line["event"] == "serving"]
    facts = {"state": f"{tmp_path}/state", "config": None, "audit": None}
    assert line.items() >= {**facts, "roles": False, "local": False}.items()
    assert line["version"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may handle what is another user's")
async def test_root_backs_up_and_restores_the_state_of_a_stopped_service(tmp_path: Path) -> None:
    """It is whole, and the user of the service can use it, and the lock, afterwards."""
    service, backup = tmp_path / "service", tmp_path / "backup"
    service.mkdir()
    await asyncio.to_thread(made, service / "state")
    for each in (service, *service.rglob("*")):
        os.chown(each, 12345, 12345)
    ran = await command("ebpfctl", "-o", "json", "state", "backup", f"{service}/state", str(backup))
    assert (ran.code, ran.err) == (0, "")
    assert (ran.json()["running"], ran.json()["left_empty"]) == (False, [])
    ran = await command("ebpfctl", "state", "restore", str(backup), f"{service}/new")
    assert (ran.code, ran.err) == (0, "")
    assert {each.stat().st_uid for each in service.rglob("*")} == {12345}
    ran = await command("ebpfctl", "state", "restore", str(backup), f"{tmp_path}/mine")
    assert f"chown -R USER {tmp_path}/mine" in ran.err


async def test_a_daemon_that_does_not_answer_is_not_taken_for_an_absent_one(tmp_path: Path) -> None:
    """It takes connections: to start another one would be no help."""
    with socket.socket(socket.AF_UNIX) as silent, socket.socket(socket.AF_UNIX) as hello:
        silent.bind(f"{tmp_path}/s")
        hello.bind(f"{tmp_path}/s.hello")
        silent.listen()
        hello.listen()
        ran = await command("ebpfctl", "--address", f"unix:{tmp_path}/s", "program", "list")
    assert ran.code == 1
    assert "it takes connections but does not answer" in ran.err
    assert "start it with" not in ran.err


async def test_a_state_that_was_removed_takes_no_changes(tmp_path: Path) -> None:
    """They would be lost with the daemon: it says so, and what to do, at once."""
    async with world(tmp_path) as w:
        made = await w.client.create_map(MapType.HASH, 4, 8, 1, name="a")
        await w.client.pin("/before", made)
        for name in ("state.sqlite", "state.sqlite-wal", "state.sqlite-shm"):
            (tmp_path / "state" / name).unlink()
        with pytest.raises(EbpfdError, match="was removed or replaced while this daemon runs"):
            await w.client.pin("/after", made)
        w.daemon.terminate()
        assert await w.daemon.wait() == 0
