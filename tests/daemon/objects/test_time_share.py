"""A share of time holds whatever comes, and is given in full to who wants it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebpfd.objects.time_share import SAVED_S, TimeShare


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """What it says."""
        return self.now


STEPS = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 2)), max_size=50)
"""Seconds until the next piece of work comes, and what it takes."""


@given(st.floats(0.01, 1), STEPS)
def test_no_work_takes_more_than_its_share(share: float, steps: list[tuple[float, float]]) -> None:
    """Of the time that has passed and what was saved; but for the last piece, which is not cut."""
    clock = Clock()
    began, spent = clock.now, 0.0
    given_ = TimeShare(share, clock)
    for pause, cost in steps:
        clock.now += pause
        if given_.left:
            assert spent <= share * (clock.now - began + SAVED_S) + 1e-6
            clock.now += cost
            given_.spend(cost)
            spent += cost


def test_who_always_wants_more_gets_the_whole_share() -> None:
    """And no more than was saved in a long pause."""
    clock = Clock()
    share, ran = TimeShare(0.25, clock), 0
    for _ in range(10_000):
        clock.now += 0.01
        if share.left:
            share.spend(0.01)
            ran += 1
    assert ran * 0.01 == pytest.approx(0.25 * 100, rel=0.02)
    clock.now += 3600
    share.spend(0.25 * SAVED_S)
    assert not share.left
