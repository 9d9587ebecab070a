"""What programs print: bounded everywhere, and what was lost is counted."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from ebpfd.host.recent_lines import RECENT_LINES
from ebpfd.host.trace import PrintedLine, TraceLog
from ebpfd.objects.chains import Batch
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.test_invocation import contexts
from tests.daemon.host.world import soon, until, world


async def next_of(lines: AsyncGenerator[PrintedLine]) -> PrintedLine:
    """The next line, which must come soon."""
    return await soon(anext(lines))


async def test_a_follower_sees_recent_lines_then_new_ones() -> None:
    """In the order they were printed, with the program that printed them."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("trace.o")
        await w.invoke(link, extension, Batch(contexts=contexts(1)))
        lines = w.trace.follow()
        first = await next_of(lines)
        assert (first.text, first.program_id, first.lost) == ("got 1", link.program.id, 0)
        following = asyncio.ensure_future(next_of(lines))
        await asyncio.sleep(0)
        await w.invoke(link, extension, Batch(contexts=contexts(2)))
        assert (await following).text == "got 2"
        await lines.aclose()
        assert w.trace.followers == 0


async def test_a_follower_that_is_cancelled_is_forgotten() -> None:
    """Otherwise its queue would fill for nobody."""
    trace = TraceLog()
    lines = trace.follow()
    following = asyncio.ensure_future(next_of(lines))
    await until(lambda: trace.followers == 1)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert trace.followers == 0


async def test_what_does_not_fit_is_counted_once_for_each_follower() -> None:
    """A slow follower loses the oldest lines; the log itself keeps the newest."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("trace.o")
        slow = w.trace.follow()
        await w.invoke(link, extension, Batch(contexts=contexts(0)))
        assert (await next_of(slow)).text == "got 0"
        half = RECENT_LINES // 2 + 1
        for start in (1, 1 + half):
            numbers = range(start, start + half)
            await w.invoke(link, extension, Batch(count=half, contexts=contexts(*numbers)))
        oldest = await next_of(slow)
        assert (oldest.text, oldest.lost) == ("got 3", 2)
        assert w.trace.lost == 0
        assert (await next_of(slow)).lost == 0
        assert [line.text for line in w.trace.recent()][-1] == f"got {2 * half}"
        assert len(w.trace.recent()) == RECENT_LINES


async def test_what_the_engine_dropped_is_counted_with_the_next_line() -> None:
    """One batch prints more than the ring holds."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("trace.o")
        many = RECENT_LINES + 10
        await w.invoke(link, extension, Batch(count=many, contexts=contexts(*range(many))))
        lines = w.trace.recent()
        assert (len(lines), lines[0].text, lines[0].lost) == (RECENT_LINES, "got 10", 10)
        assert sum(line.lost for line in lines) == 10
        assert w.trace.lost == 10
        w.trace.add(PrintedLine(0, link.program.id, "printed elsewhere", lost=5))
        assert w.trace.lost == 15
