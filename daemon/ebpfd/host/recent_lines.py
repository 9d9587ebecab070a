"""The recent lines of something, for whoever looks and whoever follows.

What is kept is bounded, and so is every follower's queue; what does not fit is counted.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

RECENT_LINES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentLine:
    """What every kind of line has."""

    lost: int = 0
    """Lines lost right before this one."""


Line = TypeVar("Line", bound=RecentLine)


class RecentLines(Generic[Line]):
    """The lines that are still here, and the followers."""

    def __init__(self) -> None:
        self._recent: deque[Line] = deque(maxlen=RECENT_LINES)
        self._followers: set[_Follower[Line]] = set()
        self._closed = False

    @property
    def followers(self) -> int:
        """How many follow."""
        return len(self._followers)

    def add(self, line: Line) -> None:
        """Keep a line, and hand it to whoever follows."""
        self._recent.append(line)
        for follower in self._followers:
            follower.put(line)

    def recent(self) -> tuple[Line, ...]:
        """The lines that are still here, oldest first."""
        return tuple(self._recent)

    def close(self) -> None:
        """No line will come any more: followers end with the last one."""
        self._closed = True
        for follower in self._followers:
            follower.close()

    async def follow(self) -> AsyncGenerator[Line]:
        """The recent lines, then new ones as they come."""
        follower = _Follower[Line]()
        for recent in self._recent:
            follower.put(recent)
        if self._closed:
            follower.close()
        self._followers.add(follower)
        try:
            while (line := await follower.get()) is not None:
                yield line
        finally:
            self._followers.discard(follower)


class _Follower(Generic[Line]):
    """A bounded queue that drops the oldest line, and says so with the next."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque()
        self._lost = 0
        self._closed = False
        self._filled = asyncio.Event()

    def put(self, line: Line) -> None:
        if len(self._lines) >= RECENT_LINES:
            self._lost += 1 + self._lines.popleft().lost
        self._lines.append(line)
        self._filled.set()

    def close(self) -> None:
        self._closed = True
        self._filled.set()

    async def get(self) -> Line | None:
        while not self._lines:
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        line = self._lines.popleft()
        if self._lost:
            line = replace(line, lost=line.lost + self._lost)
            self._lost = 0
        return line
