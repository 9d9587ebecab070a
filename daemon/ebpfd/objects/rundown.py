"""Rundown protection: counts uses of something, and says when the last one has ended.

Windows' EX_RUNDOWN_REF for one event loop: no locks, since nothing here is called from a thread.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from ebpfd.errors import InvariantError


class Rundown:
    """How many uses are in flight, and whether new ones are still let in."""

    __slots__ = ("_active", "_closed", "_told", "_when_closed", "_when_idle")

    def __init__(self, *, closed: bool = False) -> None:
        self._active = 0
        self._closed = closed
        self._told: Callable[[bool], None] | None = None
        self._when_closed: set[Callable[[], None]] = set()
        self._when_idle: list[Callable[[], None]] = []

    @property
    def active(self) -> int:
        """Uses in flight."""
        return self._active

    @property
    def closed(self) -> bool:
        """Whether new uses are refused."""
        return self._closed

    def acquire(self) -> bool:
        """Begin a use; False: running down, do not use it."""
        if self._closed:
            return False
        self._active += 1
        return True

    @contextmanager
    def use(self) -> Generator[None]:
        """Use it within the block, whether it lets anybody else in or not."""
        self._active += 1
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """End a use that ``acquire`` let in."""
        if self._active == 0:
            raise InvariantError("a use ended that had never begun")
        self._active -= 1
        if self._active == 0 and self._when_idle:
            waiting, self._when_idle = self._when_idle, []
            for idle in waiting:
                idle()

    def close(self) -> None:
        """Refuse new uses from now on."""
        self._closed = True
        self._tell()
        for lasting in tuple(self._when_closed):
            lasting()

    def when_closed(self, end: Callable[[], None]) -> None:
        """Call *end* whenever it closes: for a use that lasts until it is told to end."""
        self._when_closed.add(end)

    def forget(self, end: Callable[[], None]) -> None:
        """Call *end* no more."""
        self._when_closed.discard(end)

    def reopen(self) -> None:
        """Let new uses in again."""
        self._closed = False
        self._tell()

    def tell(self, told: Callable[[bool], None]) -> None:
        """Tell *told* whether it is closed, now and whenever that changes."""
        self._told = told
        self._tell()

    def untell(self) -> None:
        """Tell nobody any more."""
        self._told = None

    def _tell(self) -> None:
        if self._told is not None:
            self._told(self._closed)

    def when_idle(self, callback: Callable[[], None]) -> None:
        """Call *callback* once nothing is in flight: at once if that is now."""
        if self._active == 0:
            callback()
        else:
            self._when_idle.append(callback)
