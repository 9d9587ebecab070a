"""Work that several want at once is done once, for as long as anybody waits."""

import asyncio

import pytest

from ebpfd.host.shared_work import SharedWork
from tests.daemon.host.world import soon, until


class Work:
    """Something that takes until the test says so."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.go = asyncio.Event()
        self.shared = SharedWork[int]("work")

    async def do(self) -> int:
        """Its outcome is which time it was begun."""
        self.begun += 1
        number = self.begun
        try:
            await self.go.wait()
        finally:
            self.ended += 1
        if number > 10:
            raise ValueError(number)
        return number

    def wanted(self, about: str = "it") -> "asyncio.Future[int]":
        """Somebody waits for it."""
        return asyncio.ensure_future(self.shared.result(about, self.do))


async def test_all_who_wait_get_what_one_has_begun() -> None:
    """Something else is other work, and later it is done anew."""
    work = Work()
    wanted = [work.wanted(), work.wanted(), work.wanted("something else")]
    await until(lambda: work.begun == 2)
    work.go.set()
    assert await soon(asyncio.gather(*wanted)) == [1, 1, 2]
    assert await soon(work.wanted()) == 3


async def test_whoever_hangs_up_takes_it_from_nobody() -> None:
    """Also the one who began it."""
    work = Work()
    first, second = work.wanted(), work.wanted()
    await until(lambda: work.begun == 1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(first)
    assert work.ended == 0
    work.go.set()
    assert await soon(second) == 1


async def test_with_the_last_who_waits_it_ends() -> None:
    """It has ended when that one is told; who comes then begins it anew."""
    work = Work()
    both = [work.wanted(), work.wanted()]
    await until(lambda: work.begun == 1)
    for each in both:
        each.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(both[0])
    with pytest.raises(asyncio.CancelledError):
        await soon(both[1])
    assert work.ended == 1
    work.go.set()
    assert await soon(work.wanted()) == 2


async def test_an_error_is_everybodys() -> None:
    """And is not kept for those who come later."""
    work = Work()
    work.begun = 10
    both = [work.wanted(), work.wanted()]
    work.go.set()
    for each in both:
        with pytest.raises(ValueError, match="11"):
            await soon(each)
    work.begun = 0
    assert await soon(work.wanted()) == 1
