"""Child processes that the demo starts, watches and ends."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 60.0
"""What any one step may take before it counts as broken."""


class ChildError(Exception):
    """A child did not do what it was started for."""


@asynccontextmanager
async def daemon(
    address: str, folder: Path, *options: str, **environment: str
) -> AsyncGenerator[Process]:
    """A daemon that serves on *address*; it has said so when the block begins."""
    with ready_socket(folder / "ready.sock") as ready:
        environment["NOTIFY_SOCKET"] = str(folder / "ready.sock")
        state = str(folder / "state")
        arguments = ("-m", "ebpfd", "run", "--listen", address, "--state", state, *options)
        async with _child(arguments, folder / "daemon.log", environment) as child:
            waiting = asyncio.ensure_future(_heard(ready))
            ended = asyncio.ensure_future(child.wait())
            done, _ = await asyncio.wait(
                {waiting, ended}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED
            )
            ended.cancel()
            if waiting not in done:
                waiting.cancel()
                said = (folder / "daemon.log").read_text(errors="replace").strip()
                raise ChildError(f"the daemon did not start: {said}")
            yield child


async def _heard(ready: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(ready, 64) != b"READY=1":
        pass  # it takes longer


@asynccontextmanager
async def extension(module: str, address: str, *arguments: str) -> AsyncGenerator[Process]:
    """An extension of ours that is connected and registered when the block begins."""
    async with _child(("-m", module, "--address", address, *arguments)) as child:
        assert child.stderr is not None, "started with a pipe"
        async with asyncio.timeout(PATIENCE_S):
            line = await child.stderr.readline()
        if b"connected" not in line:
            raise ChildError(f"the extension did not connect: {line.decode().strip()}")
        yield child


async def finished(*arguments: str) -> None:
    """Run Python with *arguments* to its end; ``ChildError`` if that is not exit code 0."""
    async with _child(arguments) as child:
        async with asyncio.timeout(PATIENCE_S):
            _, said = await child.communicate()
        if child.returncode != 0:
            raise ChildError(f"{' '.join(arguments)}: {said.decode().strip()}")


async def stop(name: str, child: Process) -> None:
    """Ask *child* to end, and see it end well."""
    child.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE_S):
        code = await child.wait()
    if code != 0:
        raise ChildError(f"the {name} ended with exit code {code}")


@asynccontextmanager
async def _child(
    arguments: tuple[str, ...], log: Path | None = None, environment: dict[str, str] | None = None
) -> AsyncGenerator[Process]:
    """A Python process, killed when the block ends before it did."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600) if log else PIPE
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
        )
    finally:
        if log:
            os.close(output)
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


@contextmanager
def ready_socket(path: Path) -> Generator[socket.socket]:
    """A socket that hears what a daemon tells systemd."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as ready:
        ready.bind(str(path))
        ready.setblocking(False)
        try:
            yield ready
        finally:
            path.unlink(missing_ok=True)
