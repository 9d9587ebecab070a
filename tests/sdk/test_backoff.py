"""Delays between attempts: they grow up to a bound, and differ from each other."""

from hypothesis import given
from hypothesis import strategies as st

from ebpfd_sdk._backoff import FIRST_S, MOST_S, Backoff


def test_delays_double_up_to_the_bound() -> None:
    """The bound doubles, and never passes the time within which a daemon is to be noticed."""
    backoff = Backoff(chance=lambda: 1.0)
    assert [round(backoff.delay_s(), 3) for _ in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=40))
def test_delays_are_spread(chances: list[float]) -> None:
    """Each is between half of the bound and the bound, so never 0 and never too long."""
    left = iter(chances)
    backoff = Backoff(chance=lambda: next(left))
    delays = [backoff.delay_s() for _ in chances]
    assert FIRST_S / 2 <= min(delays) <= max(delays) <= MOST_S
