"""When the page is made, and when the one that is there will do."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from ebpfd.host.stats import Reading
from ebpfd.metrics import page as pages
from ebpfd.metrics.page import REST, Page
from tests.daemon.metrics.test_families import reading


class Scene:
    """A page of which each is named by its number; making one takes until ``gate`` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.made = 100.0, 0
        self.takes = 0.0
        self.begun, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.broken = False
        monkeypatch.setattr(pages, "page", self._page)
        monkeypatch.setattr(asyncio, "to_thread", self._to_thread)
        self.page = Page(cast("Any", self), clock=lambda: self.now)

    def read(self) -> Reading:
        """What is counted."""
        return reading()

    def _page(self, seen: Reading, version: str) -> bytes:
        assert seen == reading()
        assert version
        if self.broken:
            raise ValueError("broken")
        self.made += 1
        return b"page %d" % self.made

    async def _to_thread(self, work: Any, *arguments: Any) -> bytes:
        self.begun.set()
        await self.gate.wait()
        self.now += self.takes
        made: bytes = work(*arguments)
        return made


@asynccontextmanager
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Scene]:
    """A page that is closed in the end."""
    made = Scene(monkeypatch)
    try:
        yield made
    finally:
        made.gate.set()
        await made.page.close()


async def test_it_takes_a_tenth_of_the_time_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page serves for as long as nine times what making it took; then it is made anew."""
    async with scene(monkeypatch) as s:
        s.takes = 2.0
        assert await s.page.text() == b"page 1"
        s.now += REST * s.takes - 0.1
        assert await s.page.text() == b"page 1"
        s.now += 0.1
        assert await s.page.text() == b"page 2"


async def test_those_who_come_together_get_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, it is made once."""
    async with scene(monkeypatch) as s:
        s.gate.clear()
        asking = [asyncio.ensure_future(s.page.text()) for _ in range(50)]
        await s.begun.wait()
        s.gate.set()
        assert set(await asyncio.gather(*asking)) == {b"page 1"}


async def test_who_gives_up_starts_no_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is being made is what those get who come later."""
    async with scene(monkeypatch) as s:
        s.gate.clear()
        for _ in range(3):
            asking = asyncio.ensure_future(s.page.text())
            await s.begun.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        later = asyncio.ensure_future(s.page.text())
        s.gate.set()
        assert await later == b"page 1"


async def test_a_page_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked learns it."""
    async with scene(monkeypatch) as s:
        s.broken = True
        with pytest.raises(ValueError, match="broken"):
            await s.page.text()
        s.broken = False
        assert await s.page.text() == b"page 1"
