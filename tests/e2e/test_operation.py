"""What an operator meets when something around the daemon is not as it should be."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from ebpfd.cli.children import ready_socket
from ebpfd_sdk import Client, MapType
from tests.e2e.world import PATIENCE_S


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
