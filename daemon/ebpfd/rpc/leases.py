"""Leases of sessions: whoever is silent is asked, and whoever does not answer is gone.

Any message is a sign of life, on either of a module's streams, so a busy module is never asked.
"""

import asyncio
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Final, Protocol, TypeVar

from ebpfd_api.protocol import LEASE_TICKS

_ASKED_AT: Final = (LEASE_TICKS // 3, 2 * LEASE_TICKS // 3)


class Due(Enum):
    """What a tick of the clock asks for."""

    NOTHING = auto()
    QUESTION = auto()
    END = auto()


class Lease:
    """How long a module has been silent, in ticks."""

    __slots__ = ("_silent", "heard")

    def __init__(self) -> None:
        self.heard = True
        """Since the last tick; whoever reads a message sets it."""

        self._silent = 0

    def tick(self) -> Due:
        """A sixth of the lease has passed."""
        if self.heard:
            self.heard, self._silent = False, 0
            return Due.NOTHING
        self._silent += 1
        if self._silent >= LEASE_TICKS:
            return Due.END
        return Due.QUESTION if self._silent in _ASKED_AT else Due.NOTHING


class Leased(Protocol):
    """A module as its lease sees it."""

    lease: Lease | None
    """None: it may be silent for ever."""

    def ask(self) -> None:
        """Ask it for a sign of life."""
        ...


_Module = TypeVar("_Module", bound=Leased)


async def keep_leases(
    modules: Callable[[], Iterable[_Module]], lease_s: float, end: Callable[[_Module], None]
) -> None:
    """Count everybody's silence, for ever; *end* those who are silent for a whole lease."""
    while True:
        await asyncio.sleep(lease_s / LEASE_TICKS)
        for module in list(modules()):
            match module.lease.tick() if module.lease else Due.NOTHING:
                case Due.QUESTION:
                    module.ask()
                case Due.END:
                    end(module)
                case Due.NOTHING:
                    pass
