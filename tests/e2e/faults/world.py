"""Daemon, extension and client as processes that can be killed and started again."""

import asyncio
import os
import signal
import sys
import uuid
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Final

from ebpfd.cli import children
from ebpfd_api.npi import HOOK
from ebpfd_sdk import Client
from tests.e2e.faults.checker import UDP, Main, broken, miscounted, processes, values
from tests.e2e.faults.client import COUNT
from tests.e2e.faults.extension import PARAMETER, Counts
from tests.e2e.faults.journal import Kept, number_of, piece_of

PATIENCE_S: Final = 60.0

ROOT: Final = Path(__file__).resolve().parents[3]
"""Where this package is found."""

NUMBERS: Final = 1000
"""More than a client adds in its life."""

REMEMBERED: Final = 20 * NUMBERS
"""Of this many clients what they pinned is kept."""


class World:
    """The three of them, on one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"unix:{folder / 'ebpfd.sock'}"
        self.marker = str(uuid.uuid4())
        self.counts = Counts(folder / "counts")
        self.kept = Kept()
        self.ended = 0
        self._served = AsyncExitStack()
        self._children: list[Process] = []
        self._first = 1
        self._clients = 0
        self._main: Main | None = None

    async def start(self) -> None:
        """Daemon and extension, with a link that is there for good."""
        await self.start_daemon()
        await self.start_extension()
        async with Client(self.address) as client:
            async with aclosing(client.watch_registrar()) as changes:
                async for _ in changes:
                    if await client.providers(HOOK):
                        break
            program = (await client.load(COUNT))["count_by_protocol"]
            link = await program.attach("sample_ext", parameter=PARAMETER)
            self._main = Main(program.id, link.id, program.maps["by_protocol"].id)

    async def stop(self) -> None:
        """Kill whoever lives."""
        for child in self._children:
            if child.returncode is None:
                child.kill()
                await child.wait()
        await self._served.aclose()

    async def start_daemon(self) -> None:
        """A daemon on the state that is there; it serves when this returns."""
        self.daemon = await self._served.enter_async_context(
            children.daemon(self.address, self.folder, EBPFD_FAULTS=self.marker)
        )

    async def start_extension(self) -> None:
        """An extension that invokes without pause."""
        self.extension = await self._child(
            *("-m", "tests.e2e.faults.extension", str(self.folder / "counts"), self.address),
            log="extension.log",
        )

    async def start_client(self, seed: int, changes: int | None = None) -> None:
        """A client that changes what is durable, so often or until its end, with a new journal."""
        self._clients += 1
        self._journal = self.folder / f"journal-{self._clients}"
        self._journal.touch()
        self.client = await self._child(
            *("-m", "tests.e2e.faults.client", str(self._journal), str(seed)),
            *(str(self._first), self.address, *([str(changes)] if changes else [])),
            log="client.log",
        )
        self._first += NUMBERS

    async def lines(self, count: int) -> None:
        """Wait until the client's journal has so many lines, or the client has ended."""
        async with asyncio.timeout(PATIENCE_S):
            while self._journal.read_bytes().count(b"\n") < count:
                if self.client.returncode is not None:
                    raise AssertionError((self.folder / "client.log").read_text()[-2000:])
                await asyncio.sleep(0.001)

    async def end_client(self) -> None:
        """Let the client end, and take in what it wrote down."""
        if self.client.returncode is None:
            self.client.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            await self.client.wait()
        self.kept.read(self._journal)

    async def end(self, party: str, how: signal.Signals) -> None:
        """End a process, and start it again; a client is not."""
        child: Process = getattr(self, party)
        child.send_signal(how)
        await child.wait()
        if party == "daemon":
            await self._served.aclose()
            await self.start_daemon()
        elif party == "extension":
            self.ended += 1
            await self.start_extension()

    async def pause(self, party: str, seconds: float) -> None:
        """SIGSTOP for a while: the others wait, or go on without."""
        child: Process = getattr(self, party)
        if child.returncode is None:
            child.send_signal(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            child.send_signal(signal.SIGCONT)

    async def check(self) -> list[str]:
        """What is wrong once everybody is back; asks until nothing is, or for so long."""
        assert self._main is not None
        wrong = ["nothing was asked"]
        async with Client(self.address) as client:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while wrong:
                        wrong = [line async for line in self._broken(client, self._main)]
                        await asyncio.sleep(0.01)
            except TimeoutError:
                return wrong
            if self.kept.doubt:
                await self._settle(client)
            await self._forget(client)
        return []

    async def _broken(self, client: Client, main: Main) -> AsyncGenerator[str]:
        state = self.folder / "state"
        async for line in broken(client, self.kept, main, state, self.daemon.pid):
            yield line
        before = self.counts.tally()
        counted = await (await client.map(main.map)).get(UDP) or b""
        after = self.counts.tally()
        for line in miscounted(before, int.from_bytes(counted, "little"), after, self.ended):
            yield line
        ours = {os.getpid(), self.daemon.pid, self.extension.pid}
        for process, parent in processes(self.marker).items():
            if process not in ours and parent not in ours:
                yield f"process {process} was left behind"

    async def _settle(self, client: Client) -> None:
        """What was in doubt is known now, and stays so."""
        self.kept.pins = {pin.path: pin.id for pin in await client.pins()}
        for path, id_ in self.kept.pins.items():
            if piece_of(path) == "m":
                self.kept.values[path] = await values(client, id_)
        self.kept.doubt = []

    async def _forget(self, client: Client) -> None:
        """Unpin what clients of long ago have left: else each round is slower than the last."""
        for path in [each for each in self.kept.pins if number_of(each) < self._first - REMEMBERED]:
            await client.unpin(path)
            self.kept.apply(["unpin", path], {})

    async def _child(self, *arguments: str, log: str) -> Process:
        with (self.folder / log).open("ab") as output:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env={**os.environ, "EBPFD_FAULTS": self.marker},
            )
        self._children.append(child)
        return child
