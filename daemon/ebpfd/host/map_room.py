"""Room on the disk for maps that live in files: how much there is, and who found none.

A program that finds none gets NO_MEMORY from its helper, and nobody else hears of it; so the disk
itself is looked at, too.  What is refused is logged once a second at most.
"""

import asyncio
import errno
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from ebpfd.host.one_look import OneLook
from ebpfd.host.seldom import Seldom
from ebpfd.store.advice import os_error_number
from ebpfd_api.result import Result
from ebpfd_vm import EngineError

LOW_BYTES: Final = 16 << 20
"""With less some map may get no more: one takes up to 4 MiB at once."""

ENOUGH_BYTES: Final = 2 * LOW_BYTES
"""From then on it is no news any more."""

LOOK_S: Final = 10.0

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class MapRoom:
    """What *folder* has for files of maps; without one they are in memory."""

    def __init__(
        self, folder: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder: Final = folder
        self.free_bytes: int | None = None
        """As it was when somebody looked last; None: nobody knows."""

        self.low = False
        self.refused = 0
        """Maps that could not be made, and writes of users."""

        self.reason = ""
        """Of the last one that was refused."""

        self._disk = None if folder is None else OneLook(partial(os.statvfs, folder))
        self._logged = Seldom(clock)

    @contextmanager
    def counting(self) -> Generator[None]:
        """Count it if the block meets a disk that has no room; the error goes on."""
        try:
            yield
        except EngineError as error:
            if error.code == Result.NO_MEMORY and os_error_number(error.message) in _NO_ROOM:
                self._refuse(error.message)
            raise
        except OSError as error:
            if error.errno in _NO_ROOM:
                self._refuse(error.strerror or str(error))
            raise

    async def look(self) -> None:
        """See how much there is."""
        if self._disk is not None:
            with suppress(OSError):  # whoever needs the folder hears of it
                found = await self._disk.found()
                self.see(found.f_bavail * found.f_frsize)

    async def keep_looking(self) -> None:
        """Look for ever, if there is anything to look at."""
        while self.folder is not None:
            await self.look()
            await asyncio.sleep(LOOK_S)

    def see(self, free_bytes: int) -> None:
        """Take notice that there are so many bytes; the log says when they become few."""
        self.free_bytes = free_bytes
        folder = str(self.folder)
        if not self.low and free_bytes < LOW_BYTES:
            self.low = True
            _log.warning("little room for maps: make room there", folder=folder, bytes=free_bytes)
        elif self.low and free_bytes >= ENOUGH_BYTES:
            self.low = False
            _log.info("room for maps again", folder=folder, bytes=free_bytes)

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        self.reason = reason
        if refused := self._logged.untold(self.refused):
            _log.error("no room for maps", folder=str(self.folder), reason=reason, refused=refused)
