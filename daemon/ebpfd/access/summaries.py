"""What happens often, told seldom: the first of its kind at once, the others as a number.

A log that anybody can make grow at will is full one day: of what callers can do as often as they
like there are so many lines in a span of time, and no more.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

_Kind = TypeVar("_Kind", bound=Hashable)


class Summaries(Generic[_Kind]):
    """Counts by kind within one span of time; of more than *most* kinds the rest is one: None."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: dict[_Kind | None, int] = {}

    def note(self, kind: _Kind) -> bool:
        """One more; whether it is the first of its *kind*, which is to be told by itself."""
        if kind in self._counts:
            self._counts[kind] += 1
            return False
        if len(self._counts) < self._most:
            self._counts[kind] = 0
            return True
        self._counts[None] = self._counts.get(None, 0) + 1
        return False

    def end_span(self) -> list[tuple[_Kind | None, int]]:
        """How many of each kind were not told; a new span begins."""
        counts, self._counts = self._counts, {}
        return [(kind, count) for kind, count in counts.items() if count]
