"""A file of lines, written by a thread of its own, and never in the way of anything else.

A line is in the system's hands when its future is done; what the system loses with its power is
lost.  Without room, or without the folder, lines are lost and counted, and the file says so as
soon as it can be written again.
"""

import asyncio
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

MAX_WAITING: Final = 10_000
"""Lines that wait for a disk that does not answer; with more, new ones are lost."""

_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class AuditFile:
    """Appends lines to *path*; ``check`` first whether that is possible."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lost = 0
        """Lines that could not be written, since the start."""

        self._thread = ThreadPoolExecutor(1, "audit")
        self._descriptor: int | None = None
        self._torn = False
        self._untold = 0
        self._waiting = 0

    def check(self) -> None:
        """Open it; ``OSError`` if it cannot be."""
        self._open()

    def append(self, line: str) -> asyncio.Future[None]:
        """Write *line*, which has no end of line in it; done when it is written, or lost."""
        loop = asyncio.get_running_loop()
        if self._waiting >= MAX_WAITING:
            self._lose("the disk does not answer")
            written = loop.create_future()
            written.set_result(None)
            return written
        self._waiting += 1
        written = loop.run_in_executor(self._thread, self._write, line.encode())
        written.add_done_callback(self._no_more_waiting)
        return written

    def reopen(self) -> None:
        """Go on in a new file of that name: the old one has been moved away."""
        self._thread.submit(self._close)

    def close(self) -> None:
        """Write what waits, let go of the file, and say what nobody will read there."""
        self._thread.submit(self._close)
        self._thread.shutdown()
        if self._untold:
            with suppress(OSError):
                _log.error("audit lines are lost", path=str(self.path), lines=self._untold)

    def _no_more_waiting(self, _: object) -> None:
        self._waiting -= 1

    def _write(self, line: bytes) -> None:
        try:
            if self._descriptor is None:
                self._open()
            if self._untold:
                time = datetime.now(UTC).isoformat(timespec="microseconds")
                lost = {"time": time, "what": "audit.lost", "count": self._untold}
                self._put(json.dumps(lost).encode())
                with suppress(OSError):  # the log may be on the same disk
                    _log.warning("audit lines were lost", path=str(self.path), lines=self._untold)
                self._untold = 0
            self._put(line)
        except OSError as error:
            self._lose(error.strerror or str(error))

    def _lose(self, reason: str) -> None:
        if not self._untold:
            with suppress(OSError):
                _log.error("audit lines cannot be written", path=str(self.path), reason=reason)
        self.lost += 1
        self._untold += 1

    def _put(self, line: bytes) -> None:
        assert self._descriptor is not None, "just opened"
        whole = (b"\n" if self._torn else b"") + line + b"\n"
        written = os.write(self._descriptor, whole)
        self._torn = whole[:written][-1:] not in (b"\n", b"")
        if written < len(whole):
            raise OSError(None, "there is no room")

    def _open(self) -> None:
        self._descriptor = os.open(self.path, _FLAGS, 0o600)
        found = os.fstat(self._descriptor)
        if not stat.S_ISREG(found.st_mode):
            self._close()
            raise OSError(None, "it is no file")
        # Whoever was killed while it wrote has left part of a line.
        last = os.pread(self._descriptor, 1, found.st_size - 1) if found.st_size else b"\n"
        self._torn = last != b"\n"

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)  # also if that is an error: the number may be another file's now
