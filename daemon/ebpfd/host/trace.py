"""What programs print: collected from the engine after each run, handed to whoever follows.

The engine's ring is bounded, and so is every follower's queue; what does not fit is counted.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from ebpfd_vm import Trace

RECENT_LINES: Final = 1024


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """One line, with how many were lost right before it."""

    time_ns: int
    program_id: int
    text: str
    lost: int = 0


class TraceLog:
    """The recent lines and the followers."""

    def __init__(self) -> None:
        self.engine = Trace(RECENT_LINES)
        self._recent: deque[PrintedLine] = deque(maxlen=RECENT_LINES)
        self._followers: set[_Follower] = set()
        self._lost_before = 0

    def collect(self) -> None:
        """Take over what the engine has: cheap when that is nothing."""
        if not self.engine.pending:
            return
        lost = self.engine.lost - self._lost_before
        self._lost_before += lost
        for line in self.engine.drain():
            printed = PrintedLine(line.time_ns, line.program, line.text, lost)
            lost = 0
            self._recent.append(printed)
            for follower in self._followers:
                follower.put(printed)

    def recent(self) -> tuple[PrintedLine, ...]:
        """The lines that are still here, oldest first."""
        self.collect()
        return tuple(self._recent)

    async def follow(self) -> AsyncGenerator[PrintedLine]:
        """The recent lines, then new ones as they come."""
        with self._following() as follower:
            while True:
                yield await follower.get()

    @contextmanager
    def _following(self) -> Generator["_Follower"]:
        follower = _Follower()
        for line in self.recent():
            follower.put(line)
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)


class _Follower:
    """A bounded queue that drops the oldest line, and says so with the next."""

    def __init__(self) -> None:
        self._lines: deque[PrintedLine] = deque()
        self._lost = 0
        self._filled = asyncio.Event()

    def put(self, line: PrintedLine) -> None:
        if len(self._lines) >= RECENT_LINES:
            self._lost += 1 + self._lines.popleft().lost
        self._lines.append(line)
        self._filled.set()

    async def get(self) -> PrintedLine:
        while not self._lines:
            self._filled.clear()
            await self._filled.wait()
        line = self._lines.popleft()
        if self._lost:
            line = PrintedLine(line.time_ns, line.program_id, line.text, line.lost + self._lost)
            self._lost = 0
        return line
