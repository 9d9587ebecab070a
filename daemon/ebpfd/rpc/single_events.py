"""Whether single events come these days: each of them waits for what the loop does before it."""

import asyncio
from typing import Final

LATELY_S: Final = 0.005
"""After which nobody counts on another event like the last."""


class SingleEvents:
    """When the last message with a single event came, on any stream."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._last_s = -LATELY_S

    def note(self) -> None:
        """One has come."""
        self._last_s = self._loop.time()

    @property
    def lately(self) -> bool:
        """Whether the next one may come soon."""
        return self._loop.time() - self._last_s < LATELY_S
