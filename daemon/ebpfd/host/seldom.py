"""What happens often, logged seldom."""

from collections.abc import Callable
from typing import Final

TOLD_EVERY_S: Final = 1.0


class Seldom:
    """Says when to tell of what is counted: at once, and then once a second at most."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._told_at, self._told = float("-inf"), 0

    def untold(self, count: int) -> int:
        """How many of *count* to tell of now; 0: it is too early."""
        now = self._clock()
        if now - self._told_at < TOLD_EVERY_S:
            return 0
        more, self._told_at, self._told = count - self._told, now, count
        return more
