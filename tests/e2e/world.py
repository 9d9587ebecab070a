"""A daemon in a process of its own, and what a test does with it."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from ebpfd.cli import children
from ebpfd_sdk import Client

SAMPLE: Final = "ebpfd_extensions.sample"
PROGRAMS: Final = Path(str(files(SAMPLE))) / "programs"
PATIENCE_S: Final = 60.0

STATES: Final = {"files": (), "memory": ("--state", "")}
"""What a daemon is told of where its maps live: it has a state directory unless that is no name."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    def error(self) -> Any:
        """The error that a command with ``-o json`` prints."""
        return json.loads(self.err)["error"]


@dataclass(frozen=True, slots=True)
class World:
    """A running daemon with a client."""

    folder: Path
    address: str
    daemon: Process
    client: Client

    async def ctl(self, *arguments: str) -> Ran:
        """Run ``ebpfctl`` against the daemon."""
        return await command("ebpfctl", "--address", self.address, *arguments)

    async def ctl_json(self, *arguments: str) -> Any:
        """Run ``ebpfctl -o json``, which must succeed; what it printed."""
        ran = await self.ctl("-o", "json", *arguments)
        assert ran.code == 0, ran.err
        return ran.json()

    def log(self) -> list[dict[str, Any]]:
        """What the daemon has logged so far."""
        text = (self.folder / "daemon.log").read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@asynccontextmanager
async def world(folder: Path, *options: str) -> AsyncGenerator[World]:
    """A daemon with its files in *folder*, and whatever else ``ebpfd run`` takes."""
    address = f"unix:{folder / 'ebpfd.sock'}"
    async with children.daemon(address, folder, *options) as daemon, Client(address) as client:
        yield World(folder, address, daemon, client)


@asynccontextmanager
async def sample(world: World, *arguments: str) -> AsyncGenerator[Process]:
    """The sample extension as its own process, registered."""
    async with children.extension(SAMPLE, world.address, *arguments) as process:
        yield process


@asynccontextmanager
async def script(world: World, path: Path, *arguments: str) -> AsyncGenerator[None]:
    """An extension that is a script and takes the address last; it leaves in good order."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(path), *arguments, world.address, stderr=PIPE
    )
    assert process.stderr is not None
    try:
        assert b"connected" in await process.stderr.readline()
        yield
    finally:
        process.terminate()
        await process.wait()


@contextmanager
def interruptible() -> Generator[None]:
    """What is started within heeds Ctrl-C, also if these tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


async def command(name: str, *arguments: str, **environment: str) -> Ran:
    """Run an installed command to its end."""
    script = Path(sys.executable).with_name(name)
    child = await asyncio.create_subprocess_exec(
        script,
        *arguments,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, **environment},
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await child.communicate()
    assert child.returncode is not None
    return Ran(child.returncode, out.decode(), err.decode())
