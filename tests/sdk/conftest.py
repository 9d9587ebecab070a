"""A fake daemon and an extension that is about to meet it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ebpfd_sdk import Answer, Extension, Hook, ProgramType
from tests.sdk.fake_daemon import FakeDaemon, serving
from tests.sdk.parcels import Parcel, declare


@dataclass
class Scene:
    """What most tests need."""

    daemon: FakeDaemon
    kind: ProgramType[Parcel]
    hook: Hook[Parcel]

    def extension(self, *, reconnect: bool = True) -> Extension:
        """An extension of this scene, not connected yet."""
        address = self.daemon.address
        return Extension(self.kind, self.hook, address=address, reconnect=reconnect)

    async def request(self, count: int) -> None:
        """Wait until the daemon has got so many messages."""
        await self.until(lambda: len(self.daemon.requests) >= count)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that the daemon sees."""
        async with asyncio.timeout(10):
            while not true():
                self.daemon.noted.clear()
                await self.daemon.noted.wait()

    async def round_trip(self) -> None:
        """Let everything arrive that was sent: a heartbeat goes there and back."""
        self.daemon.heartbeats.clear()
        self.daemon.beat()
        await self.daemon.heartbeats.wait()

    async def held_up(self) -> tuple[int, asyncio.Future[Answer[Parcel]], asyncio.Task[None]]:
        """A link's binding, an invocation that is not answered, and the detach that waits for it.

        The daemon answers when its gate is set.
        """
        binding = await self.daemon.link()
        self.daemon.gate.clear()
        invocation = self.hook.invoke()
        await self.request(1)
        detaching = asyncio.create_task(self.daemon.detach(binding))
        await self.until(lambda: f"detach {binding}" in self.daemon.journal)
        await self.round_trip()
        return binding, invocation, detaching


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncGenerator[FakeDaemon]:
    """A fake daemon that serves."""
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def scene(daemon: FakeDaemon) -> Scene:
    """A fake daemon with an extension for it."""
    return Scene(daemon, *declare())
