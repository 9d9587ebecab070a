"""A daemon that hosts extensions, and what a test sees of them."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from ebpfd_sdk import ExtensionInfo
from tests.e2e.test_extension_life import until
from tests.e2e.world import World, world

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
