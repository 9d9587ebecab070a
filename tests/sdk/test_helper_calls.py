"""Calls of helpers: each is answered once, or given up at its deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk import DeclarationError, FunctionModule, Integer, ProgramType
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._helper_calls import HelperCalls
from ebpfd_sdk._program_type import ProgramTypeProvider
from ebpfd_sdk._tasks import Tasks
from tests.sdk.parcels import PROGRAM_TYPE, Parcel
from tests.virtual_time import virtually

MODULE = "8f6c1f83-ce4c-4b58-8b91-654a29e23b7c"


def answers(function: Callable[[], Any], deadline_ms: int = 1000) -> list[tuple[int, str]]:
    """Call a helper, wait for longer than it may take, and return what it answered."""
    kind = ProgramType(PROGRAM_TYPE, Parcel)
    kind.helper(0x10000, name="f")(function)
    said: list[tuple[int, str]] = []

    async def call() -> None:
        tasks = Tasks()
        calls = HelperCalls(tasks)
        calls.add(ProgramTypeProvider(kind))
        asked = registrar_pb2.HelperCall(
            program_type=kind.guid.bytes, helper_id=0x10000, deadline_ms=deadline_ms
        )
        calls.handle(5, asked, lambda answer: said.append((answer.result, answer.error)))
        await asyncio.sleep(3600)
        await tasks.close()

    virtually(call())
    return said


def after(seconds: float) -> Callable[[], Awaitable[int]]:
    """Make a helper that takes so long."""

    async def helper() -> Integer:
        await asyncio.sleep(seconds)
        return 7

    return helper


async def cancels() -> Integer:
    """Wait for what somebody else has given up."""
    other = asyncio.get_running_loop().create_future()
    other.cancel()
    await other
    return 0


async def is_late() -> Integer:
    """Have a deadline of its own."""
    async with asyncio.timeout(0.1):
        await asyncio.Event().wait()
    return 0


def gives_up() -> Integer:
    """Raise what would end a task."""
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("function", "deadline_ms", "expected"),
    [
        (after(0.5), 1000, [(7, "")]),
        (after(1.5), 1000, []),
        (after(1.5), 0, [(7, "")]),
        (cancels, 1000, [(0, "CancelledError: ")]),
        (is_late, 1000, [(0, "TimeoutError: ")]),
        (gives_up, 1000, [(0, "CancelledError: ")]),
    ],
)
def test_an_async_helper_is_answered_or_given_up_at_the_deadline(
    function: Callable[[], Any], deadline_ms: int, expected: list[tuple[int, str]]
) -> None:
    """The daemon's TIMEOUT needs no answer; what fails before is FAILED, whatever it raised."""
    assert answers(function, deadline_ms) == expected


async def test_a_provider_says_how_long_its_helpers_may_take() -> None:
    """In its dispatch table, beside functions that it has; others have the daemon's default."""
    kind, module = ProgramType(PROGRAM_TYPE, Parcel), FunctionModule(MODULE)
    kind.helper(0x10000, name="f")(gives_up)
    streams = DataStreams.__new__(DataStreams)
    attach = registrar_pb2.AttachCallback(binding=3)
    side = await kind.provider(streams).attach(attach)
    assert not side.HasField("dispatch")
    kind.helper(0x10001, name="g", deadline_s=2.5)(gives_up)
    side = await kind.provider(streams).attach(attach)
    assert side.dispatch.deadlines == [registrar_pb2.CallDeadline(id=0x10001, deadline_ms=2500)]
    module.function(name="f")(gives_up)
    module.function(name="g", deadline_s=0.0015)(gives_up)
    side = await module.provider(streams).attach(attach)
    assert side.dispatch.deadlines == [registrar_pb2.CallDeadline(id=1, deadline_ms=2)]


@pytest.mark.parametrize("deadline_s", [0, -1, 0.0001, 3601, float("nan"), float("inf")])
def test_a_deadline_that_no_clock_can_keep_is_refused(deadline_s: float) -> None:
    """Where it is declared."""
    kind = ProgramType(PROGRAM_TYPE, Parcel)
    with pytest.raises(DeclarationError, match=r"helper f: deadline_s is .*must be from 0\.001"):
        kind.helper(0x10000, name="f", deadline_s=deadline_s)(gives_up)
