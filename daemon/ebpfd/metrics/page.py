"""One page for many readers: made once at a time, and not made anew all the time."""

import asyncio
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Final

from ebpfd.host.stats import Stats
from ebpfd.metrics.families import NS_A_SECOND, metrics
from ebpfd.metrics.process import process_metrics

PIECES_A_TURN: Final = 64
"""Less than a millisecond; then events have their turn."""

REST: Final = 9
"""A page serves for so many times as long as it took to make: that is a tenth of all time."""


class Page:
    """The page of a daemon, made on the loop a little at a time."""

    def __init__(self, stats: Stats, clock: Callable[[], float] = time.monotonic) -> None:
        self._stats = stats
        self._clock = clock
        self._version = version("ebpfd")
        self._making: asyncio.Task[None] | None = None
        self._text = b""
        self._fresh_until = float("-inf")

    async def text(self) -> bytes:
        """The page as it is now, or was a moment ago."""
        if self._making is None and self._clock() >= self._fresh_until:
            self._making = asyncio.create_task(self._make(), name="page of metrics")
        if self._making is not None:
            # Others wait for it too, so who gives up does not stop it.
            await asyncio.shield(self._making)
        return self._text

    async def close(self) -> None:
        """Make no more of what is being made."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)

    async def _make(self) -> None:
        try:
            began, reading = self._clock(), self._stats.read()
            started_s = reading.started_ns / NS_A_SECOND
            pieces = [await asyncio.to_thread(process_metrics, started_s)]
            for piece in metrics(reading, self._version):
                pieces.append(piece)
                if len(pieces) % PIECES_A_TURN == 0:
                    await asyncio.sleep(0)
            self._text = "".join(pieces).encode()
            ended = self._clock()
            self._fresh_until = ended + REST * (ended - began)
        finally:
            self._making = None
