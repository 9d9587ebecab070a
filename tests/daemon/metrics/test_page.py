"""When the page is made, and when the one that is there will do."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from ebpfd.host.stats import Reading
from ebpfd.metrics import page as pages
from ebpfd.metrics.page import PIECES_A_TURN, REST, Page
from ebpfd.metrics.process import process_metrics
from tests.daemon.metrics.test_families import reading


class Scene:
    """A page of which each is named by its number; making one takes until ``gate`` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.made = 100.0, 0
        self.takes = 0.0
        self.begun, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.broken = False
        monkeypatch.setattr(pages, "metrics", self._metrics)
        monkeypatch.setattr(asyncio, "to_thread", self._to_thread)
        self.page = Page(cast("Any", self), clock=lambda: self.now)

    def read(self) -> Reading:
        """What is counted."""
        return reading()

    def _metrics(self, seen: Reading, version: str) -> Iterator[str]:
        assert seen == reading()
        assert version
        if self.broken:
            raise ValueError("broken")
        self.made += 1
        yield from ("", f"page {self.made}")

    async def _to_thread(self, work: Any, started_s: float) -> str:
        assert (work, started_s) == (process_metrics, 1e-9)
        self.begun.set()
        await self.gate.wait()
        self.now += self.takes
        return ""

    async def text(self) -> str:
        """The page."""
        return (await self.page.text()).decode()


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
        assert await s.text() == "page 1"
        s.now += REST * s.takes - 0.1
        assert await s.text() == "page 1"
        s.now += 0.1
        assert await s.text() == "page 2"


async def test_those_who_come_together_get_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, it is made once."""
    async with scene(monkeypatch) as s:
        s.gate.clear()
        asking = [asyncio.ensure_future(s.text()) for _ in range(50)]
        await s.begun.wait()
        s.gate.set()
        assert set(await asyncio.gather(*asking)) == {"page 1"}


async def test_who_gives_up_starts_no_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is being made is what those get who come later."""
    async with scene(monkeypatch) as s:
        s.gate.clear()
        for _ in range(3):
            asking = asyncio.ensure_future(s.text())
            await s.begun.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        later = asyncio.ensure_future(s.text())
        s.gate.set()
        assert await later == "page 1"


async def test_others_have_their_turn_while_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is: after so many pieces the loop goes round."""
    async with scene(monkeypatch) as s:
        turns = 0

        def turn() -> None:
            nonlocal turns
            turns += 1
            asyncio.get_running_loop().call_soon(turn)

        def pieces(*arguments: object) -> Iterator[str]:
            for _ in range(100 * PIECES_A_TURN):
                yield ""

        monkeypatch.setattr(pages, "metrics", pieces)
        turn()
        await s.page.text()
        assert turns >= 100


async def test_a_page_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked learns it."""
    async with scene(monkeypatch) as s:
        s.broken = True
        with pytest.raises(ValueError, match="broken"):
            await s.text()
        s.broken = False
        assert await s.text() == "page 1"
