"""The log's lines on their way out: nothing waits for them.

A line is written at once where it certainly can be, so that whoever is killed has said what he did;
else a thread writes it.

Whoever logs has done something, or is about to: a disk without room, and a reader who is gone or
does not read, must change nothing about that.  Such lines are lost and counted, and the log says
how many as soon as it can be written again.
"""

import os
import queue
import select
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

MAX_WAITING: Final = 4096
"""Lines that wait for a reader who does not read; with more, new ones are lost."""

SURE_BYTES: Final = 4096
"""A pipe that takes anything at all takes as much; a file takes what there is."""


class LogLines:
    """Writes lines to *descriptor*; ``told`` makes a line of how many were lost."""

    def __init__(self, descriptor: int, told: Callable[[int], str]) -> None:
        self._descriptor = descriptor
        self._told = told
        self._takes_all = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._open = select.poll()
        self._open.register(descriptor, select.POLLOUT)
        self._waiting = queue.Queue[str | None](MAX_WAITING)
        self._writing = threading.Lock()
        self._lock = threading.Lock()
        self._lost = self._untold = 0
        self._torn = False
        # A daemon's, or a reader who does not read would keep the process from ending.
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Lines that could not be written, since the start."""
        return self._lost

    def add(self, line: str) -> None:
        """Have *line* written; it never waits, and never fails."""
        if self._writing.acquire(blocking=False):
            try:
                if self._waiting.unfinished_tasks == 0 and self._surely_takes(line):
                    self._write(line)
                    return
            finally:
                self._writing.release()
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            self._lose()

    def close(self, within_s: float) -> None:
        """Write what waits; what cannot be written in that time is left."""
        try:
            self._waiting.put(None, timeout=within_s)
        except queue.Full:
            return
        self._thread.join(within_s)

    def _write_all(self) -> None:
        while (line := self._waiting.get()) is not None:
            with self._writing:
                self._write(line)
            self._waiting.task_done()
        with self._writing, suppress(OSError):
            self._tell_lost()

    def _surely_takes(self, line: str) -> bool:
        """Whether a write would not wait for a reader; one that fails at once is as good."""
        fits = self._takes_all or len(line) < SURE_BYTES // 4  # bytes of a character, at most
        return fits and not self._untold and bool(self._open.poll(0))

    def _write(self, line: str) -> None:
        try:
            self._tell_lost()
            self._put(line)
        except OSError:
            self._lose()

    def _tell_lost(self) -> None:
        if untold := self._untold:
            self._put(self._told(untold))
            with self._lock:
                self._untold -= untold

    def _put(self, line: str) -> None:
        rest = (("\n" if self._torn else "") + line + "\n").encode(errors="replace")
        while rest:
            written = os.write(self._descriptor, rest)
            self._torn = rest[:written][-1:] != b"\n"
            rest = rest[written:]

    def _lose(self) -> None:
        with self._lock:
            self._lost += 1
            self._untold += 1
