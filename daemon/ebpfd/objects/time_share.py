r"""A share of time: work that comes when it likes takes no more of a processor than it may.

    credit (s)
      share * SAVED_S |    ____
                      |   /    \          rises by *share* of the time that passes,
                      |  /      \    /    falls by what the work took
                    0 |-/--------\--/---- work may begin above, and not below
                      |           \/

Work is not cut short: what one piece takes too much, those after it wait for.
"""

from collections.abc import Callable
from typing import Final

SAVED_S: Final = 1.0
"""Of the time that has passed without work, how much counts."""


class TimeShare:
    """The credit of one kind of work, by a *clock* in seconds.

    One thread spends, any may ask: the two numbers are replaced as one.
    """

    def __init__(self, share: float, clock: Callable[[], float]) -> None:
        self._share = share
        self._clock = clock
        self._credit_at = share * SAVED_S, clock()

    @property
    def left(self) -> bool:
        """Whether work may begin."""
        return self._credit(self._clock()) > 0

    def spend(self, seconds: float) -> None:
        """Work has taken so long."""
        now = self._clock()
        self._credit_at = self._credit(now) - seconds, now

    def _credit(self, now: float) -> float:
        credit, then = self._credit_at
        return min(credit + self._share * (now - then), self._share * SAVED_S)
