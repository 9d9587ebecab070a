"""Failures of an author's own code, told where the author looks: in the log of his process.

One that every event meets must not drown what else is said there: the first is logged, then at
most one a second, which says how many there were since.
"""

import time
from typing import Final

from ebpfd_sdk._tasks import logger

EVERY_S: Final = 1.0


class Failures:
    """What goes wrong in one function, *what*."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._untold = 0
        self._due_s = 0.0
        """When the next one may be told."""

    def note(self, reason: str, error: BaseException | None = None) -> None:
        """Log a failure, with the traceback of *error*, unless one was a moment ago."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            self._untold += 1
            return
        since = f" (and {self._untold} times since the last report)" if self._untold else ""
        self._untold, self._due_s = 0, now_s + EVERY_S
        logger.error("%s: %s%s", self._what, reason, since, exc_info=error)
