"""What a network does to an extension's connection: cut, delayed, half closed."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio

from ebpfd_extensions.sample.extension import SampleContext, events, sample
from ebpfd_sdk import Answer, Extension, Result
from tests.e2e.proxy import Proxy, proxy
from tests.e2e.world import PROGRAMS, World, world
from tests.packets import UDP


@pytest_asyncio.fixture
async def between(tmp_path: Path) -> AsyncGenerator[tuple[World, Proxy]]:
    """An extension in this process, whose way to the daemon is a proxy; a program is attached."""
    async with (
        world(tmp_path) as there,
        proxy(tmp_path / "proxy.sock", tmp_path / "ebpfd.sock") as line,
        Extension(sample, events, address=line.address),
    ):
        program = (await there.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        await program.attach("sample_ext")
        yield there, line


def fired() -> asyncio.Future[Answer[SampleContext]]:
    """An event for the program."""
    return events.invoke(SampleContext(), data=UDP)


async def fired_until(*codes: Result) -> list[Result]:
    """Fire one after the other until the answer is one of these codes; those before it."""
    before: list[Result] = []
    async with asyncio.timeout(30):
        while (code := (await fired()).code) not in codes:
            before.append(code)
            if code is not Result.SUCCESS:
                await events.attached()
    return before


async def counted(there: World) -> int:
    """How often the program ran."""
    (each,) = [each for each in await there.client.maps() if each.name == "by_protocol"]
    return int.from_bytes(await each.get(17) or b"", "little")


async def test_a_connection_that_is_cut_is_made_again(between: tuple[World, Proxy]) -> None:
    """What was in flight is CANCELED; then the link is back without a word of the user."""
    there, line = between
    assert (await fired()).code is Result.SUCCESS
    line.hold()
    waiting = [fired() for _ in range(100)]
    await asyncio.sleep(0)  # they leave at the end of this turn
    line.cut()
    line.release()
    assert {answer.code for answer in await asyncio.gather(*waiting)} == {Result.CANCELED}
    # The end of the session may be heard a moment later than that of the stream.
    assert {*await fired_until(Result.SUCCESS)} <= {Result.CANCELED, Result.OBJECT_NOT_FOUND}
    assert await counted(there) == 2


async def test_a_connection_that_is_slow_loses_nothing(between: tuple[World, Proxy]) -> None:
    """What waits is answered when it gets through: each once, in order."""
    there, line = between
    line.hold()
    waiting = [fired() for _ in range(100)]
    done, _ = await asyncio.wait(waiting, timeout=0.05)
    assert not done
    line.release()
    assert {answer.code for answer in await asyncio.gather(*waiting)} == {Result.SUCCESS}
    assert await counted(there) == 100


async def test_a_connection_that_is_half_closed_is_made_again(
    between: tuple[World, Proxy],
) -> None:
    """The daemon hears that no more comes: the session has ended, and another one begins."""
    there, line = between
    line.half_close()
    await fired_until(Result.CANCELED, Result.OBJECT_NOT_FOUND)
    assert {*await fired_until(Result.SUCCESS)} <= {Result.CANCELED, Result.OBJECT_NOT_FOUND}
    assert {each.state.name for each in await there.client.links()} == {"ATTACHED"}
