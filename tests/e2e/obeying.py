"""How an extension is told what to do: a command on each line of its standard input.

Each command has one line as its answer, on standard output; the other end is ``told.py``.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator

from ebpfd_sdk import Extension


async def commands(extension: Extension) -> AsyncGenerator[str]:
    """All that it is told once it is registered; it stops after the last."""
    say("ready")
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line.strip()
    extension.stop()


def say(text: str) -> None:
    """Answer."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
