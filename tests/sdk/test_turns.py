"""Answers that are there at once, and the turns of the loop that they leave it."""

import asyncio

import pytest

from ebpfd_sdk import _turns
from ebpfd_sdk._turns import Turns


class Clock:
    """Time that passes when a test says so."""

    now_s = 100.0

    def monotonic(self) -> float:
        """The time now."""
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time that turns are measured by."""
    clock = Clock()
    monkeypatch.setattr(_turns, "time", clock)
    return clock


async def test_the_loop_has_a_turn_when_one_is_due(clock: Clock) -> None:
    """Then answers are there at once until the next one is."""
    turns = Turns()
    for _ in range(3):
        first = turns.settled("first")
        assert not first.done()
        assert await first == "first"
        clock.now_s += 0.9 * _turns.SLICE_S
        assert turns.settled("second").done()
        clock.now_s += 0.2 * _turns.SLICE_S


async def test_a_future_that_was_cancelled_meanwhile_stays_so(clock: Clock) -> None:
    """The loop is not told of an error."""
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    assert clock.now_s > _turns.SLICE_S
    future = Turns().settled(1)
    future.cancel()
    await asyncio.sleep(0)
    assert future.cancelled()
    assert not errors
