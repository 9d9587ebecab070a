"""Tasks with an owner: ended together, failing alone."""

import asyncio
import gc
import inspect
import weakref
from contextlib import suppress

import pytest

from ebpfd.host.services import Services
from tests.daemon.host.world import soon


async def test_leaving_cancels_and_awaits_what_still_runs() -> None:
    """Nothing outlives the block."""
    events: list[str] = []

    async def run() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            events.append("ended")

    async with Services() as services:
        task = services.start(run(), name="runs on")
        await asyncio.sleep(0)
    assert (events, task.cancelled()) == (["ended"], True)


async def test_a_failing_service_ends_nobody_else() -> None:
    """A bug in one of them is logged; the daemon goes on."""

    async def broken() -> None:
        raise ZeroDivisionError

    async with Services() as services:
        await soon(services.start(broken(), name="broken"))
        finished = await soon(services.finish(asyncio.sleep(0, "well"), name="well"))
    assert finished == "well"


async def test_a_service_cancelled_before_it_began_is_closed() -> None:
    """Else Python complains of a coroutine that was never awaited."""

    async def run() -> None:
        await asyncio.Event().wait()

    late, work = run(), run()
    async with Services() as services:
        services.start(late, name="never begins")
        finishing = asyncio.ensure_future(services.finish(work, name="nor does this"))
        await asyncio.sleep(0)
        for task in asyncio.all_tasks():
            if task.get_name() == "nor does this":
                task.cancel()
    assert inspect.getcoroutinestate(late) == inspect.getcoroutinestate(work) == "CORO_CLOSED"
    with pytest.raises(asyncio.CancelledError):
        await soon(finishing)


async def test_nothing_starts_after_the_block() -> None:
    """And the coroutine is closed."""

    async def run() -> None:
        await asyncio.Event().wait()

    async with Services() as services:
        pass
    late = run()
    with pytest.raises(RuntimeError):
        services.start(late, name="too late")
    assert inspect.getcoroutinestate(late) == "CORO_CLOSED"


async def test_what_must_finish_finishes_without_its_caller() -> None:
    """A client that hangs up does not leave things half done."""
    events: list[str] = []
    go = asyncio.Event()

    async def work() -> None:
        events.append("begun")
        await go.wait()
        events.append("done")

    async with Services() as services:
        caller = asyncio.ensure_future(services.finish(work(), name="work"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        go.set()
        for _ in range(3):
            await asyncio.sleep(0)
        assert events == ["begun", "done"]


async def test_an_error_reaches_whoever_waits() -> None:
    """Once, where ``finish`` was awaited; if nobody waits any more it is no news."""

    async def broken() -> None:
        await asyncio.sleep(0)
        raise KeyError("field")

    async with Services() as services:
        with pytest.raises(KeyError, match="field"):
            await services.finish(broken(), name="broken")
        caller = asyncio.ensure_future(services.finish(broken(), name="broken too"))
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller


async def test_what_failed_goes_with_its_error() -> None:
    """No cycle keeps what a failing call had made, such as maps with their files."""

    class Made:
        """Something with an end."""

    made: list[weakref.ref[Made]] = []

    async def broken() -> None:
        thing = Made()
        made.append(weakref.ref(thing))
        await asyncio.sleep(0)
        raise KeyError(thing)

    gc.disable()
    try:
        async with Services() as services:
            with suppress(KeyError):
                await services.finish(broken(), name="broken")
            await asyncio.sleep(0)
            assert made[0]() is None
    finally:
        gc.enable()
