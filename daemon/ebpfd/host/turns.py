"""First come, first served: turns at something that one at a time may use.

Who needs several things takes a turn at each before waiting for any.  Then all that are taken in
one go are in one order everywhere, so nobody is overtaken anywhere, and no two wait for each other.
"""

import asyncio
from collections import deque


class Turn:
    """A place among those who wait; whoever takes one must leave."""

    __slots__ = ("_come", "_turns")

    def __init__(self, turns: "Turns") -> None:
        self._turns = turns
        self._come = asyncio.Event()

    async def wait(self) -> None:
        """Return when all that came before have left."""
        await self._come.wait()

    def come(self) -> None:
        """It is this one's turn."""
        self._come.set()

    def leave(self) -> None:
        """Let the next one in, or give up a place further behind; twice is once."""
        self._turns.left(self)


class Turns:
    """Who uses something, and who waits for it."""

    __slots__ = ("__weakref__", "_taken")

    def __init__(self) -> None:
        self._taken: deque[Turn] = deque()

    def take(self) -> Turn:
        """Take the last place."""
        turn = Turn(self)
        self._taken.append(turn)
        self._taken[0].come()
        return turn

    def left(self, turn: Turn) -> None:
        """A place is free; for ``Turn.leave``."""
        if turn in self._taken:
            self._taken.remove(turn)
        if self._taken:
            self._taken[0].come()
