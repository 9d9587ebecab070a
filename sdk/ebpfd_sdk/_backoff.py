"""How long to wait between attempts: longer each time, up to a bound, and never all at once."""

import random
from collections.abc import Callable
from typing import Final

FIRST_S: Final = 0.1
MOST_S: Final = 1.0
"""A daemon that is back is noticed within this."""


class Backoff:
    """Delays of one series of attempts; *chance* gives numbers from 0 up to 1."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._bound_s = FIRST_S

    def delay_s(self) -> float:
        """Return how long to wait before the next attempt: from half of the bound up to it."""
        bound_s = self._bound_s
        self._bound_s = min(2 * bound_s, MOST_S)
        return bound_s * (1 + self._chance()) / 2
