"""Deadlines of events, in the milliseconds in which a daemon is told them."""

import asyncio
from math import ceil
from typing import Final

LONGEST_MS: Final = 2**32 - 1
"""Some seven weeks: what the messages hold."""


def check_deadline_s(deadline_s: float) -> None:
    """Refuse what is no deadline; ``ValueError``, or ``TypeError`` for what is no number."""
    _check_number(deadline_s)
    if not 0 <= deadline_s <= LONGEST_MS / 1000:
        raise ValueError(
            f"deadline_s: {deadline_s} is no number of seconds from 0 to {LONGEST_MS // 1000}"
        )


def deadline_ms(deadline_s: float | None) -> int:
    """Write a deadline for the daemon, 0 if there is none; ``ValueError`` as above."""
    if deadline_s is None:
        return 0
    check_deadline_s(deadline_s)
    return min(max(1, round(1000 * deadline_s)), LONGEST_MS)


def _check_number(given: object) -> None:
    if not isinstance(given, int | float):
        raise TypeError(f"deadline_s must be a number of seconds, not {type(given).__name__}")


def left_ms(due: float) -> int:
    """Milliseconds until the loop's time is *due*; not 0, which would be no deadline."""
    return min(max(1, ceil(1000 * (due - asyncio.get_running_loop().time()))), LONGEST_MS)
