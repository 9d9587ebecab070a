"""Answers that are there at once, without a turn of the event loop for each."""

import asyncio
import time
from typing import Final, TypeVar

T = TypeVar("T")

SLICE_S: Final = 100e-6
"""A turn costs more than many an event: so long may events go on without one."""


class Turns:
    """Settles futures, and lets the loop have a turn often enough.

    A caller that awaits one event after the other must let attaches and signals through.
    """

    def __init__(self) -> None:
        self._turned_s = 0.0

    def settled(self, value: T) -> asyncio.Future[T]:
        """Return a future of *value*: it is done at once, or in the next turn if one is due."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if time.monotonic() - self._turned_s < SLICE_S:
            future.set_result(value)
        else:
            loop.call_soon(self._settle, future, value)
        return future

    def _settle(self, future: asyncio.Future[T], value: T) -> None:
        self._turned_s = time.monotonic()
        if not future.done():
            future.set_result(value)
