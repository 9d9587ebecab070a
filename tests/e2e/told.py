"""An extension that does what it is told on its standard input, and answers on its output."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from tests.e2e.world import PATIENCE_S, World

LINE_BYTES: Final = 1 << 20
"""An answer may be as long: it may be about thousands of events."""


class Told:
    """The extension, and what it is told."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def ask(self, command: str) -> str:
        """Its answer to a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n".encode())
        return await self.answer()

    async def answer(self) -> str:
        """The next line that it says."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            return (await self.process.stdout.readline()).decode().strip()

    async def kill(self) -> None:
        """End it without any warning."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def extension(w: World, module: str) -> AsyncGenerator[Told]:
    """The extension that is a module of these tests, registered, and killed in the end."""
    command = (sys.executable, "-m", f"tests.e2e.{module}", w.address)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, limit=LINE_BYTES
    )
    told = Told(process)
    try:
        assert await told.answer() == "ready"
        yield told
    finally:
        if process.returncode is None:
            await told.kill()
