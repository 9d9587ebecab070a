"""By how much counts have grown lately: since a look that is one to two minutes ago.

Counts that only grow say for ever that something once failed; who asks what is wrong now wants to
know what fails now.  The looks are rare, and events have their turn meanwhile.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Generic, TypeVar

LOOK_S: Final = 60.0
LATELY: Final = "within 2 minutes"
"""For people: it is never longer ago."""

COUNTS_A_TURN: Final = 256
"""Less than a millisecond."""

_Key = TypeVar("_Key")


class Lately(Generic[_Key]):
    """Remembers counts, none of which ever falls; *counts* reads them."""

    def __init__(self, counts: Callable[[], Iterable[tuple[_Key, int]]]) -> None:
        self._counts = counts
        self._before: Mapping[_Key, int] = {}
        self._last: Mapping[_Key, int] = {}

    def grown(self) -> dict[_Key, int]:
        """By how much, of those that have grown."""
        pairs = ((key, count - self._before.get(key, 0)) for key, count in self._counts())
        return {key: more for key, more in pairs if more > 0}

    async def look(self) -> None:
        """Remember what the counts are now, and no longer what they were two looks ago."""
        seen: dict[_Key, int] = {}
        for number, (key, count) in enumerate(self._counts(), 1):
            if count:
                seen[key] = count
            if number % COUNTS_A_TURN == 0:
                await asyncio.sleep(0)
        self._before, self._last = self._last, seen

    async def keep_looking(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()
